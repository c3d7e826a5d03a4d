import type { ChatRules } from './rules.ts'

/** What the service proves itself with to Slack, and Slack to it. */
export interface SlackSecrets {
  botToken: string
  /** Empty in Socket Mode where it is not given: nothing comes in that it would sign. */
  signingSecret: string
  /** Empty over HTTP where it is not given. */
  appToken: string
  /** Another endpoint than Slack's own, ending in a slash. */
  apiUrl: string | undefined
}

export interface MattermostSecrets {
  token: string
  commandToken: string
}

/** What the environment holds for the chats. Never in the site's file, never in a log. */
export interface ChatSecrets {
  slack: SlackSecrets
  mattermost: MattermostSecrets
}

type Environment = Readonly<Record<string, string | undefined>>

export function chatSecrets(env: Environment): ChatSecrets {
  const { SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET, SLACK_APP_TOKEN, SLACK_API_URL } = env
  const { MATTERMOST_TOKEN, MATTERMOST_COMMAND_TOKEN } = env
  return {
    slack: {
      botToken: SLACK_BOT_TOKEN ?? '',
      signingSecret: SLACK_SIGNING_SECRET ?? '',
      appToken: SLACK_APP_TOKEN ?? '',
      apiUrl:
        SLACK_API_URL === undefined || SLACK_API_URL === '' ? undefined : SLACK_API_URL.replace(/\/*$/, '/'),
    },
    mattermost: { token: MATTERMOST_TOKEN ?? '', commandToken: MATTERMOST_COMMAND_TOKEN ?? '' },
  }
}

/** The variables that the chats of a site need and the environment lacks, by the key in the site's file. */
export function missingSecrets(
  rules: Pick<ChatRules, 'slack' | 'mattermost'>,
  env: Environment,
): { key: 'slack' | 'mattermost'; names: string[] }[] {
  const { slack, mattermost } = rules
  const wanted = [
    {
      key: 'slack' as const,
      names:
        slack === undefined
          ? []
          : ['SLACK_BOT_TOKEN', slack.mode === 'socket' ? 'SLACK_APP_TOKEN' : 'SLACK_SIGNING_SECRET'],
    },
    {
      key: 'mattermost' as const,
      names: mattermost === undefined ? [] : ['MATTERMOST_TOKEN', 'MATTERMOST_COMMAND_TOKEN'],
    },
  ]
  return wanted
    .map(({ key, names }) => ({ key, names: names.filter((name) => (env[name] ?? '') === '') }))
    .filter(({ names }) => names.length > 0)
}
