import { stringify } from 'yaml'
import { pageAt } from '../facts.ts'
import type { SlackRule } from '../rules.ts'

/** What the app may do, and nothing more. Each stands for a call that is made or an event that is read. */
const botScopes = [
  'app_mentions:read',
  'chat:write',
  'commands',
  'files:write',
  'im:history',
  'im:read',
  'im:write',
  'users:read',
  'users:read.email',
] as const

/** What a site with a channel of its own needs besides: to see whether it was let in there. */
const channelScopes = ['channels:read', 'groups:read'] as const

const events = [
  'app_home_opened',
  'app_mention',
  'app_uninstalled',
  'message.im',
  'tokens_revoked',
  'user_change',
] as const

export function scopesFor({ channel }: Pick<SlackRule, 'channel'>) {
  return [...botScopes, ...(channel === undefined ? [] : channelScopes)].sort()
}

/**
 * The manifest of the Slack app for a site (docs.slack.dev/reference/app-manifest), from which Slack makes the app with
 * its commands, events and scopes.
 */
export function slackManifest(rule: SlackRule, site: { name: string; publicUrl: string }) {
  const socket = rule.mode === 'socket'
  const calledAt = socket ? {} : { url: pageAt(site, '/slack/events') }
  const command = (name: string, description: string, hint: string) => ({
    command: name,
    ...calledAt,
    description,
    usage_hint: hint,
    // Mentions come with the ids of people, so that a name cannot be somebody else's.
    should_escape: true,
  })
  return {
    _metadata: { major_version: 1, minor_version: 1 },
    display_information: {
      name: 'Jackdaw',
      description: 'Servers on request, and desktops',
      long_description: [
        `Servers and desktops of ${site.name}.`,
        'Ask for a server with /vm and its price is shown before anything is asked of anybody; whoever holds the budget',
        'approves or denies with a button; servers are steered, extended and given back in the conversation; whoever',
        'works at a thin client finds a desktop with /desktop. Every question is answered by help.',
      ].join(' '),
    },
    features: {
      app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
      bot_user: { display_name: 'jackdaw', always_online: true },
      slash_commands: [
        command(
          '/vm',
          'Request and steer servers',
          'request slc5 for 30d budget T-1042 | list | extend NAME 30d | help',
        ),
        command('/desktop', 'Open, extend or end a desktop', '[POOL] | list | extend | end'),
      ],
    },
    oauth_config: { scopes: { bot: scopesFor(rule) } },
    settings: {
      event_subscriptions: {
        ...(socket ? {} : { request_url: pageAt(site, '/slack/events') }),
        bot_events: [...events],
      },
      interactivity: { is_enabled: true, ...(socket ? {} : { request_url: pageAt(site, '/slack/events') }) },
      org_deploy_enabled: false,
      socket_mode_enabled: socket,
      token_rotation_enabled: false,
    },
  }
}

/** The manifest as Slack's form for new apps takes it. */
export function manifestText(
  rule: SlackRule,
  site: { name: string; publicUrl: string },
  as: 'yaml' | 'json',
): string {
  const manifest = slackManifest(rule, site)
  return as === 'json' ? `${JSON.stringify(manifest, null, 2)}\n` : stringify(manifest, { lineWidth: 0 })
}
