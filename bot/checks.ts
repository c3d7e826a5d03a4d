import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, millis } from '../src/base/clock.ts'
import type { Finding } from '../src/base/finding.ts'
import type { Log } from '../src/base/log.ts'
import { openApi as openMattermost } from './mattermost/api.ts'
import { checkMattermost } from './mattermost/check.ts'
import { openPace } from './mattermost/pacing.ts'
import type { ChatRules } from './rules.ts'
import type { ChatSecrets } from './secrets.ts'
import { openApi as openSlack } from './slack/api.ts'
import { checkSlack } from './slack/check.ts'

export interface CheckServices {
  secrets: ChatSecrets
  site: { publicUrl: string }
  clock: Clock
  log: Log
}

/** What each chat platform needs of its set-up, tried without opening it: nothing that people say is taken in. */
export async function checkChats(rules: ChatRules, services: CheckServices): Promise<Finding[]> {
  const { secrets, site, clock, log } = services
  const nowMillis = () => millis(clock.now())
  const { slack, mattermost } = rules
  const found = await Promise.all([
    slack === undefined
      ? []
      : checkSlack({
          ...{ rule: slack, secrets: secrets.slack, site, nowMillis },
          api: openSlack({ botToken: secrets.slack.botToken, apiUrl: secrets.slack.apiUrl, log }),
        }),
    mattermost === undefined
      ? []
      : checkMattermost({
          ...{ rule: mattermost, secrets: secrets.mattermost, site, nowMillis },
          api: openMattermost({
            ...{ url: mattermost.url, token: secrets.mattermost.token, log },
            pace: openPace({ perSecond: 5, burst: 20, nowMillis, wait: (pause) => sleep(pause) }),
          }),
        }),
  ])
  return found.flat()
}
