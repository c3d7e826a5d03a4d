import { createHash } from 'node:crypto'
import { z } from 'zod'
import { messageOf, Outage } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import type { Bars } from '../../src/charts/bars.ts'
import type { MessageRef } from '../../src/notices/notice.ts'
import type { Card } from '../card.ts'
import { cardAsText } from '../cards/text.ts'
import { clip } from '../cards/parts.ts'
import { type Api, SlackRefusal } from './api.ts'
import type { Pace } from './pace.ts'
import { sendPictures } from './pictures.ts'
import { type Frame, type Message, renderCard } from './render.ts'
import { escaped, preformatted } from './rich.ts'
import { longest, messageFaults } from './schema.ts'

/** How a card is posted. */
export interface Posting {
  /** The zone that its times are written in. */
  zone: string
  thread?: string | undefined
  /** The same key again gives the first message's place. */
  key?: string
}

/** Where an answer goes that only one person sees. */
export interface Ear {
  channel: string
  user: string
  thread?: string | undefined
  responseUrl?: string | undefined
}

/** Messages of ours on Slack. All of it may throw Outage, and SlackRefusal for what Slack will not do. */
export interface Posts {
  /** The direct conversation with somebody. */
  direct(user: string): Promise<string>
  post(channel: string, card: Card, posting: Posting): Promise<MessageRef>
  /** Shows a card in the place of another. One that is gone is success. */
  edit(ref: Pick<MessageRef, 'channel' | 'message'>, card: Card, zone: string): Promise<void>
  /** Says something to one person only. `instead` takes the place of what they pressed there. */
  whisper(ear: Ear, card: Card, options: { zone: string; instead?: boolean }): Promise<void>
  /** The address of a message, for a link to it; nothing where Slack gives none. */
  linkTo(ref: MessageRef): Promise<string | undefined>
}

export interface PostServices {
  api: Api
  pace: Pace
  log: Log
  /** A new one each time. */
  version: () => string
  /** A chart as a PNG. */
  pictureOf: (chart: Bars) => Uint8Array
}

const Posted = z.object({ channel: z.string(), ts: z.string() })
const Opened = z.object({ channel: z.object({ id: z.string() }) })
const Ok = z.object({})
const History = z.object({
  messages: z
    .array(
      z.object({
        ts: z.string(),
        blocks: z.array(z.object({ block_id: z.string().optional() })).default([]),
      }),
    )
    .default([]),
})

/** What is said of a message that cannot be changed because it is not there any more. */
const gone = [
  'message_not_found',
  'channel_not_found',
  'cant_update_message',
  'edit_window_closed',
  'is_inactive',
]
const quiet = { parse: 'none', link_names: false, unfurl_links: false, unfurl_media: false } as const
/** How far back a message is looked for that may have been sent already. */
const lookBack = 30

export function openPosts(services: PostServices): Posts {
  const { api, pace, log, version } = services
  const directs = new Map<string, string>()
  const sent = new Map<string, MessageRef>()
  let tables = true

  const frame = (zone: string, rest: Partial<Frame> = {}): Frame => ({
    ...{ zone, version: version(), tables, pictures: true },
    ...rest,
  })

  /** Does it with tables, or without where Slack will not have them. */
  async function shown<T>(card: Card, base: Frame, work: (message: Message) => Promise<T>): Promise<T> {
    try {
      return await work(checked(card, base, log))
    } catch (error) {
      const isRefused = error instanceof SlackRefusal && error.code.startsWith('invalid_blocks')
      if (!isRefused || !base.tables || card.parts.every(({ kind }) => kind !== 'table')) throw error
      const done = await work(checked(card, { ...base, tables: false }, log))
      tables = false
      log.warn({ error: error.message }, 'slack takes no tables, lists are letters from now on')
      return done
    }
  }

  async function sentBefore(channel: string, id: string): Promise<MessageRef | undefined> {
    const known = sent.get(id)
    if (known !== undefined) return known
    try {
      const args = { channel, limit: lookBack }
      const { messages } = await pace.call(() => api.call('conversations.history', args, History))
      const found = messages.find(({ blocks }) => blocks[0]?.block_id === id)
      return found === undefined ? undefined : { platform: 'slack', channel, message: found.ts }
    } catch (error) {
      if (!(error instanceof SlackRefusal)) throw error
      log.warn({ error: error.message }, 'slack conversation cannot be read back')
      return undefined
    }
  }

  async function edit(ref: Pick<MessageRef, 'channel' | 'message'>, card: Card, base: Frame): Promise<void> {
    const { channel, message: ts } = ref
    await pace.edit(`${channel}/${ts}`, async () => {
      try {
        await shown(card, base, (message) =>
          api.call('chat.update', { channel, ts, ...quiet, ...message }, Ok),
        )
      } catch (error) {
        if (!(error instanceof SlackRefusal) || !gone.includes(error.code)) throw error
      }
    })
  }

  return {
    async direct(user) {
      const known = directs.get(user)
      if (known !== undefined) return known
      const { channel } = await pace.call(() => api.call('conversations.open', { users: user }, Opened))
      directs.set(user, channel.id)
      return channel.id
    },
    async post(channel, card, { zone, thread, key }) {
      const id = key === undefined ? undefined : keyId(key)
      const before = id === undefined ? undefined : await sentBefore(channel, id)
      if (before !== undefined) return before
      const base = frame(zone, id === undefined ? {} : { key: id })
      const place = { channel, ...(thread === undefined ? {} : { thread_ts: thread }) }
      const posted = await pace.post(channel, () =>
        shown(card, base, (message) =>
          api.call('chat.postMessage', { ...place, ...quiet, ...message }, Posted),
        ),
      )
      const ref = { platform: 'slack', channel: posted.channel, message: posted.ts }
      if (id !== undefined) remember(sent, id, ref)
      if (!(await sendPictures(services, card, place))) await edit(ref, card, { ...base, pictures: false })
      return ref
    },
    edit: (ref, card, zone) => edit(ref, card, frame(zone)),
    async whisper({ channel, user, thread, responseUrl }, card, { zone, instead = false }) {
      const base = frame(zone, { pictures: false })
      await shown(card, base, async (message) => {
        const body = { ...quiet, ...message, ...(thread === undefined ? {} : { thread_ts: thread }) }
        if (responseUrl !== undefined) {
          const answer = { ...body, response_type: 'ephemeral', replace_original: instead }
          if (await answered(() => pace.call(() => api.respond(responseUrl, answer)))) return
        }
        await pace.post(channel, () => api.call('chat.postEphemeral', { ...body, channel, user }, Ok))
      })
    },
    async linkTo({ channel, message: ts }) {
      const Link = z.object({ permalink: z.url({ protocol: /^https?$/ }) })
      try {
        const args = { channel, message_ts: ts }
        return (await pace.call(() => api.call('chat.getPermalink', args, Link))).permalink
      } catch (error) {
        log.debug({ error: messageOf(error) }, 'slack gives no link to a message')
        return undefined
      }
    },
  }
}

/** Whether an answer was taken there. Such an address is good five times in half an hour; after that it is refused. */
async function answered(work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (!(error instanceof SlackRefusal)) throw error
    return false
  }
}

function keyId(key: string): string {
  return `k.${createHash('sha256').update(key).digest('hex').slice(0, 32)}`
}

function remember(sent: Map<string, MessageRef>, id: string, ref: MessageRef): void {
  sent.set(id, ref)
  if (sent.size <= 2_000) return
  const [oldest] = sent.keys()
  if (oldest !== undefined) sent.delete(oldest)
}

/** A card that Slack would refuse is said in letters: people are told whatever happens to its looks. */
function checked(card: Card, frame: Frame, log: Log): Message {
  const message = renderCard(card, frame)
  const faults = messageFaults(message)
  if (faults.length === 0) return message
  log.error({ faults: faults.slice(0, 5) }, 'a card does not fit Slack')
  return { text: escaped(card.summary), blocks: [preformatted(clip(cardAsText(card), longest.text))] }
}

/** What a failure of Slack's means for whoever wants to be sent something: whether it can be sent later. */
export function asOutage(error: unknown): unknown {
  if (!(error instanceof SlackRefusal)) return error
  const { code, message } = error
  // What the site can mend may be sent when it is mended.
  const transient = ['missing_scope', 'not_in_channel', 'restricted_action', 'ekm_access_denied'].includes(
    code,
  )
  return new Outage('chat_refused', message, { transient, cause: error })
}
