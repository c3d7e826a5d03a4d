import { messageOf, Outage } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import type { Conversation } from '../conversation.ts'
import type { Answers } from './answers.ts'
import type { Api } from './api.ts'
import { introduction } from './callbacks.ts'
import { lineFor, parsePosted, type Written } from './inbound.ts'
import type { People } from './people.ts'
import type { Prover } from './prove.ts'
import type { Channel } from './schema.ts'
import type { Server } from './server.ts'

export interface LineServices {
  api: Api
  server: Server
  people: People
  prover: Prover
  answers: Answers
  conversation: Conversation
  log: Log
  nowMillis: () => number
  wait: (millis: number) => Promise<void>
}

/** What people write to the bot: in direct messages, and where they name it. */
export interface Lines {
  /** A message of the stream. */
  heard(message: unknown): Promise<void>
  /** Reads what was written while nothing was heard, by asking for it. */
  catchUp(): Promise<void>
}

/** As far back as is asked for what was missed: what is older is not expected to be answered any more. */
const longestGapMillis = 15 * 60_000
/** How often an answer is tried again while the server does not take it. */
const pausesMillis = [500, 2000, 8000]

export function openLines(services: LineServices): Lines {
  const { api, server, log, nowMillis } = services
  // By the server's clock, as far as it was heard; before that, since we began to listen.
  let heardUntil = nowMillis()
  let catchingUp: Promise<void> | undefined

  async function take(written: Written): Promise<void> {
    heardUntil = Math.max(heardUntil, written.post.create_at)
    const { me } = await server.known()
    const line = lineFor(me, written)
    if (line === undefined) return
    if (!(await services.prover.isNew('post', written.post.id))) return
    await answer(services, written, line)
  }

  async function missedIn(channel: Channel, since: number): Promise<void> {
    if (channel.last_post_at < since) return
    for (const post of await api.postsSince(channel.id, since)) {
      // A post that was only changed since is no new line.
      if (post.create_at >= since) await take({ post, isDirect: channel.type === 'D', mentions: [] })
    }
  }

  async function ask(): Promise<void> {
    const since = Math.max(heardUntil - 5000, nowMillis() - longestGapMillis)
    for (const channel of await api.myChannels()) await missedIn(channel, since)
  }

  return {
    async heard(message) {
      const written = parsePosted(message)
      if (written === undefined) return
      try {
        await take(written)
      } catch (error) {
        log.warn({ error: messageOf(error) }, 'mattermost line could not be answered')
      }
    },
    catchUp() {
      catchingUp ??= ask()
        .catch((error: unknown) =>
          log.warn({ error: messageOf(error) }, 'mattermost could not say what was missed'),
        )
        .finally(() => {
          catchingUp = undefined
        })
      return catchingUp
    },
  }
}

async function answer(services: LineServices, { post, isDirect }: Written, line: string): Promise<void> {
  const { people, conversation, answers, api } = services
  const who = await people.whoIs(post.user_id)
  if (who.kind === 'nobody') return
  if (who.kind === 'unlinked') {
    // Only they may see the link.
    const channel = await answers.home(post.user_id)
    await api.createPost({ channel_id: channel, message: await introduction(services, who), props: {} })
    return
  }
  const { caller, zone } = who
  const key = `mattermost:${post.id}`
  const said = { verb: 'mention' as const, key, ...(zone === undefined ? {} : { zone }) }
  const cards = await conversation.say(caller, line.slice(0, 4000), said)
  const root = isDirect ? post.root_id : post.root_id || post.id
  const asker = { caller, id: post.user_id, zone }
  await persisting(services, () => answers.give(asker, cards, { channel: post.channel_id, root }, key))
}

/** Nobody else tries again to answer a line: an answer that the server does not take is offered a few times. */
async function persisting({ wait }: LineServices, work: () => Promise<void>): Promise<void> {
  for (const pause of pausesMillis) {
    try {
      await work()
      return
    } catch (error) {
      if (!(error instanceof Outage) || !error.transient) throw error
      await wait(pause)
    }
  }
  await work()
}
