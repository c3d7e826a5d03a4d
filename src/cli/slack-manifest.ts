import { manifestText } from '../../bot/slack/manifest.ts'
import { loadConfig } from '../config.ts'

/** The manifest of the site's Slack app. The app is made from it and gives the tokens, so none is needed yet. */
export async function slackManifestOf(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  as: 'yaml' | 'json',
): Promise<string> {
  const tokens = ['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET', 'MATTERMOST_TOKEN']
  const later = Object.fromEntries([...tokens, 'MATTERMOST_COMMAND_TOKEN'].map((name) => [name, 'later']))
  const { chat, site } = await loadConfig(file, { ...env, ...later })
  return manifestText(chat.slack ?? { mode: 'socket' }, site, as)
}
