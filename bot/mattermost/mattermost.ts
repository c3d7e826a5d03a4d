import { millis } from '../../src/base/clock.ts'
import { Outage } from '../../src/base/errors.ts'
import type { MessageRef } from '../../src/notices/notice.ts'
import type { Chat, OpenedChat } from '../chat.ts'
import { pageAt } from '../facts.ts'
import type { PlatformServices } from '../open.ts'
import type { MattermostRule } from '../rules.ts'
import type { MattermostSecrets } from '../secrets.ts'
import { openAnswers } from './answers.ts'
import { openApi } from './api.ts'
import { commandTokens } from './callback-proof.ts'
import { callbackRouter } from './callbacks.ts'
import { checkMattermost } from './check.ts'
import { openLines } from './lines.ts'
import { openEdits, openPace } from './pacing.ts'
import { openPeople } from './people.ts'
import { openPosts } from './posts.ts'
import { openProver } from './prove.ts'
import { channelId, openServer } from './server.ts'
import type { SocketTimings } from './socket.ts'
import { openStream } from './stream.ts'
import { openTalk } from './talk.ts'
import { openWork, type Work } from './work.ts'

/** How long things take and wait. Shorter in tests. */
export interface Timings {
  /** How long Mattermost is kept waiting for a whole answer; it gives up after 30 s. */
  patienceMillis: number
  /** How long its API may take for one answer. */
  answerMillis: number
  /** Between two edits of one post. */
  editsApartMillis: number
  /** The first pause before it is tried again to reach a server that was not there. */
  retryMillis: number
  /** How many calls are made in a second; five times as many at once, now and then. */
  callsPerSecond: number
  socket?: SocketTimings
}

const usual: Timings = {
  patienceMillis: 2500,
  answerMillis: 10_000,
  editsApartMillis: 1200,
  retryMillis: 2000,
  callsPerSecond: 8,
}

/** What is in hand may take this long when the service is stopped. */
const closingMillis = 4000

/** Mattermost: its API and its stream of messages, and the addresses at which it calls back. */
export function mattermostChat(
  rule: MattermostRule,
  secrets: MattermostSecrets,
  services: PlatformServices,
  timings: Timings = usual,
): OpenedChat {
  const work = openWork()
  const parts = openParts({ rule, secrets, services, timings, work })
  const { api, people, posts, edits, answers, nowMillis } = parts
  const { patienceMillis } = timings
  const { log, site } = services
  const { carryOn } = work
  const router = callbackRouter({ ...parts, log, carryOn, patienceMillis })
  const lines = openLines({ ...services, ...parts, wait: work.wait })
  const stream = openStream({ rule, secrets, log, server: parts.server, lines, timings, work })
  const ref = (channel: string, message: string): MessageRef => ({ platform: 'mattermost', channel, message })

  const chat: Chat = {
    platform: 'mattermost',
    reaches: async (user) => (await people.reached(user)) !== undefined,
    async post(user, card, key) {
      const account = await people.reached(user)
      if (account === undefined) throw nowhere(user)
      const channel = await answers.home(account.id)
      return ref(channel, (await posts.write(card, { channel, root: '' }, `notice:${user}:${key}`, true)).id)
    },
    async announce(card, key) {
      const channel = rule.channel === undefined ? undefined : await channelId(api, rule)
      if (channel === undefined) return null
      return ref(channel, (await posts.write(card, { channel, root: '' }, `announced:${key}`, true)).id)
    },
    async update({ message, channel }, card) {
      await edits.edit(message, () => posts.replace(message, channel, card, true))
    },
    zoneOf: async (user) => (await people.reached(user))?.zone ?? null,
    status: () => stream.status(),
    check: () => checkMattermost({ api, rule, site, secrets, nowMillis }),
    async close() {
      work.stop()
      stream.close()
      await work.finished(closingMillis)
    },
  }
  return { chat, faces: [{ path: '/mattermost', router }] }
}

interface PartServices {
  rule: MattermostRule
  secrets: MattermostSecrets
  services: PlatformServices
  timings: Timings
  work: Work
}

/** What the chat, the callbacks and the stream stand on. */
function openParts({ rule, secrets, services, timings, work }: PartServices) {
  const { log, site, clock, ids, operations, accounts, pictureOf } = services
  const nowMillis = (): number => millis(clock.now())
  // A stopwatch, so that a clock that is put right holds nothing up.
  const elapsed = { nowMillis: () => performance.now(), wait: work.wait }
  const { callsPerSecond, answerMillis, editsApartMillis } = timings
  const pace = openPace({ perSecond: callsPerSecond, burst: callsPerSecond * 5, ...elapsed })
  const api = openApi({ url: rule.url, token: secrets.token, log, pace, answerMillis })
  const server = openServer(api, rule, nowMillis)
  const people = openPeople(api, accounts, elapsed.nowMillis)
  const tokens = commandTokens(secrets.commandToken)
  const prover = openProver({ api, server, operations, tokens, nowMillis })
  const posts = openPosts({
    ...{ api, server, ids, nowMillis, key: () => prover.key(), picture: pictureOf },
    actionUrl: pageAt(site, '/mattermost/action'),
  })
  const edits = openEdits({ apartMillis: editsApartMillis, ...elapsed })
  const answers = openAnswers({ ...services, api, server, posts, edits })
  const dialogUrl = pageAt(site, '/mattermost/dialog')
  const talk = openTalk({ ...services, api, server, posts, answers, prover, nowMillis, dialogUrl })
  return { api, server, people, prover, posts, edits, answers, talk, nowMillis }
}

function nowhere(user: string): Outage {
  return new Outage('mattermost_nobody', `${user} has no account there that is theirs`, { transient: false })
}
