import { setTimeout as delay } from 'node:timers/promises'
import { openApi } from '../../bot/mattermost/api.ts'
import { openPace } from '../../bot/mattermost/pacing.ts'
import { setUpCommands } from '../../bot/mattermost/setup.ts'
import { silentLog } from '../base/log.ts'
import { ConfigError, loadConfig } from '../config.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Registers the slash commands of the site, or says what it would do. A bot may not own commands, so it is done with the
 * token of a person who may manage them (`MATTERMOST_ADMIN_TOKEN`), which the service itself never needs.
 */
export async function mattermostSetup(
  file: string | undefined,
  env: Environment,
  apply: boolean,
): Promise<string> {
  // The token of the commands is what this gives, so it cannot be there yet.
  const names = ['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET', 'MATTERMOST_TOKEN']
  const later = Object.fromEntries([...names, 'MATTERMOST_COMMAND_TOKEN'].map((name) => [name, 'later']))
  const { chat, site, file: path } = await loadConfig(file, { ...env, ...later })
  const rule = chat.mattermost
  if (rule === undefined) {
    const wrong = { path: 'chat.mattermost', wrong: 'is not there', right: '{ url: https://…, team: … }' }
    throw new ConfigError(path, [{ line: 1, ...wrong }])
  }
  const token = env.MATTERMOST_ADMIN_TOKEN ?? ''
  if (token === '')
    return 'Set MATTERMOST_ADMIN_TOKEN to the access token of somebody who may manage slash commands.\n'
  const wait = async (time: number): Promise<void> => {
    await delay(time)
  }
  const pace = openPace({ perSecond: 8, burst: 20, nowMillis: () => performance.now(), wait })
  const api = openApi({ url: rule.url, token, log: silentLog, pace })
  return setUpCommands({ api, rule, site }, apply)
}
