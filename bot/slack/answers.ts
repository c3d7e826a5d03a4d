import type { Caller } from '../../src/identity/person.ts'
import type { MessageRef } from '../../src/notices/notice.ts'
import { Outage } from '../../src/base/errors.ts'
import type { Card } from '../card.ts'
import { card as cardFrom, link } from '../cards/parts.ts'
import { type CopyServices, keepCopy } from '../copies.ts'
import type { Place } from './inbound.ts'
import type { Origin } from './ids.ts'
import type { Timing } from './pace.ts'
import type { Posts } from './posts.ts'

/** Whom an answer is for. */
export interface Listener {
  caller: Caller
  /** Their account on Slack. */
  account: string
  /** The zone that they read times in, which their answers are drawn in. */
  zone: string
}

/**
 * Where answers go. Cards that are about something live on, so they stand in the direct conversation, where they are
 * redrawn and only their reader sees them; in a channel, their reader alone is told. Everything else is said where it
 * was asked, in a channel to that person only: what somebody may see is nobody else's business.
 */
export interface Answers {
  /** Answers a line. */
  toLine(listener: Listener, cards: readonly Card[], place: Place): Promise<void>
  /** Answers a press: a card about what was pressed takes its place, deeds are told in its thread. */
  toPress(listener: Listener, cards: readonly Card[], origin: Origin): Promise<void>
  /** Says something to one person, where they are. */
  aside(listener: Pick<Listener, 'account' | 'zone'>, card: Card, place: Place): Promise<void>
}

export interface AnswerServices extends CopyServices {
  posts: Posts
  timing: Timing
}

export function openAnswers(services: AnswerServices): Answers {
  const { posts } = services
  const patiently = <T>(work: () => Promise<T>): Promise<T> => withPatience(services.timing, work)

  /** Posts a card that may live on, and keeps where it stands. */
  async function place(
    listener: Listener,
    card: Card,
    channel: string,
    thread?: string,
  ): Promise<MessageRef> {
    const ref = await patiently(() => posts.post(channel, card, { zone: listener.zone, thread }))
    await keep(listener, card, ref)
    return ref
  }

  async function keep({ caller, zone }: Listener, card: Card, ref: MessageRef): Promise<void> {
    const fresh = await keepCopy(services, caller, card, { ref, zone })
    if (fresh !== undefined) await patiently(() => posts.edit(ref, fresh, zone))
  }

  const aside: Answers['aside'] = async ({ account, zone }, card, { channel, thread, responseUrl }) => {
    const ear = { channel, user: account, thread, responseUrl }
    await patiently(() => posts.whisper(ear, card, { zone }))
  }

  /** Puts a card into the direct conversation, and says so where it was asked for. */
  async function elsewhere(listener: Listener, card: Card, asked: Place, direct: string): Promise<void> {
    const ref = await place(listener, card, direct)
    await aside(listener, pointer(card, await posts.linkTo(ref)), asked)
  }

  async function toLine(listener: Listener, cards: readonly Card[], asked: Place): Promise<void> {
    const direct = await patiently(() => posts.direct(listener.account))
    for (const card of cards) {
      if (asked.channel === direct) await place(listener, card, direct, asked.thread)
      else if (livesOn(card)) await elsewhere(listener, card, asked, direct)
      else await aside(listener, card, asked)
    }
  }

  /** What a press in the direct conversation led to, beside the card that was pressed. */
  async function beside(listener: Listener, card: Card, origin: Origin, ref: MessageRef): Promise<void> {
    const { channel, message } = ref
    if (livesOn(card)) await place(listener, card, channel)
    else if (isMistake(card)) await aside(listener, card, { channel, responseUrl: origin.responseUrl })
    else await place(listener, card, channel, message)
  }

  /** An answer to a press where others read too, or that only one person sees: the pressed card stays or is replaced. */
  async function apart(
    listener: Listener,
    cards: readonly Card[],
    origin: Origin,
    asked: Place,
  ): Promise<void> {
    const [first, ...others] = cards
    const { account, zone } = listener
    if (first === undefined || !origin.ephemeral || !takesPlace(first, origin) || livesOn(first)) {
      await toLine(listener, cards, asked)
      return
    }
    await patiently(() => posts.whisper({ ...asked, user: account }, first, { zone, instead: true }))
    await toLine(listener, others, asked)
  }

  return {
    toLine,
    aside,
    async toPress(listener, cards, origin) {
      const { channel, message, ephemeral, about } = origin
      const direct = await patiently(() => posts.direct(listener.account))
      if (channel === undefined || message === undefined) {
        await toLine(listener, cards, { channel: direct })
        return
      }
      if (ephemeral || channel !== direct) {
        await apart(listener, cards, origin, { channel, responseUrl: origin.responseUrl })
        return
      }
      const ref = { platform: 'slack', channel, message }
      const [first] = cards
      const replaces = first !== undefined && takesPlace(first, origin)
      if (replaces) {
        await patiently(() => posts.edit(ref, first, listener.zone))
        if (first.about !== about) await keep(listener, first, ref)
      }
      for (const card of replaces ? cards.slice(1) : cards) await beside(listener, card, origin, ref)
    },
  }
}

/** Of the answer to a press, what is about the same takes the place of what was pressed; so does what a form led to. */
function takesPlace(card: Card, { about, form = false }: Origin): boolean {
  return about === undefined ? form : card.about === about
}

/** Whether a card will be looked at again: it is about something, or has a picture, which nobody can be whispered. */
function livesOn(card: Card): boolean {
  return card.about !== undefined || card.parts.some(({ kind }) => kind === 'chart')
}

function isMistake({ tone, about, parts }: Card): boolean {
  return (
    about === undefined && (tone === 'bad' || tone === 'warn') && parts.every(({ kind }) => kind !== 'form')
  )
}

/** The word in a channel that the answer stands elsewhere. */
function pointer({ summary, title, tone }: Card, url: string | undefined): Card {
  return cardFrom({
    summary,
    title,
    tone,
    parts: [
      url === undefined
        ? { kind: 'text', text: 'The whole of it is in our direct messages.' }
        : link('Open it in our direct messages', url),
    ],
  })
}

const pauses = [1_000, 5_000, 20_000]

/** An answer is worth a few tries: whoever asked waits for it. */
async function withPatience<T>(timing: Timing, work: () => Promise<T>): Promise<T> {
  for (const pause of pauses) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Outage) || !error.transient) throw error
      await timing.sleep(pause)
    }
  }
  return work()
}
