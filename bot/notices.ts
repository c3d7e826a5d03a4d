import type { Clock } from '../src/base/clock.ts'
import { Outage, Refusal } from '../src/base/errors.ts'
import type { Log } from '../src/base/log.ts'
import { isNamed, system } from '../src/identity/person.ts'
import type { Delivery, Notice, NoticeKind, Teller, Telling } from '../src/notices/notice.ts'
import type { Operations } from '../src/operations/perform.ts'
import type { Site } from '../src/operations/site.ts'
import type { Card } from './card.ts'
import { showBudget } from '../src/operations/show-budget.ts'
import { listTerminals } from '../src/operations/manage-terminals.ts'
import { showPool } from '../src/operations/show-pool.ts'
import { showRequest } from '../src/operations/show-request.ts'
import { showSettings } from '../src/operations/settings.ts'
import { announcementCard } from './cards/approval.ts'
import { budgetCard, budgetWarningCard } from './cards/budget.ts'
import { leaseCard } from './cards/desktop.ts'
import { type Drawing, type Reader } from './cards/drawing.ts'
import { expiryCard, type ExpiryFacts } from './cards/expiry.ts'
import { expiriesCard } from './cards/expiries.ts'
import { machineCard } from './cards/machine.ts'
import { buttons, card, lineButton } from './cards/parts.ts'
import { poolCareCard } from './cards/pool.ts'
import { type News, newsCard, requestCard } from './cards/request.ts'
import { waitingTerminalsCard } from './cards/terminals.ts'
import type { Chat } from './chat.ts'
import { expiryFacts, leaseFacts, type Look, machineFacts, requestFacts } from './facts.ts'

export interface TellerServices {
  chats: readonly Chat[]
  operations: Operations
  site: Site
  clock: Clock
  log: Log
  /**
   * Who somebody is now, with groups and roles: it decides which buttons a redrawn card has. Without it only what a notice
   * itself says of its reader is known.
   */
  readerOf?: (user: string) => Promise<Reader | undefined>
}

/** What a card is about, and why it was sent: enough to draw it, now and again later. */
export type Told = Pick<Notice, 'kind' | 'about' | 'at' | 'text' | 'to' | 'also'>

/** Tells people of facts, as cards on every platform that reaches them. */
export function teller(services: TellerServices): Teller {
  const { chats, operations, site, clock, log } = services
  const zoneOn = async (chat: Chat, user: string): Promise<string> =>
    (await chat.zoneOf(user)) ?? site.timezone
  async function draw(notice: Told, user: string, zone: string): Promise<Card> {
    const known = user === '' ? nobodyElse : await services.readerOf?.(user)
    const reader = known ?? readerFrom(notice, user, site)
    const drawing = { reader, now: clock.now(), zone, currency: site.currency }
    return drawNotice({ operations, site, caller: system() }, notice, drawing)
  }
  /** A platform that fails holds up no other. What it can never take is said once and given up. */
  async function tellOn(chat: Chat, notice: Notice, user: string): Promise<Telling> {
    try {
      if (!(await chat.reaches(user))) return { copies: [], waiting: [] }
      const card = await draw(notice, user, await zoneOn(chat, user))
      const shown = (await wantsChannel(notice, user))
        ? await chat.announce(card, `${notice.id}:${user}`)
        : null
      return { copies: [shown ?? (await chat.post(user, card, notice.id))], waiting: [] }
    } catch (error) {
      return untold(chat, notice, error)
    }
  }
  async function announceOn(chat: Chat, notice: Notice): Promise<Telling> {
    try {
      const shown = await chat.announce(await draw(notice, '', site.timezone), notice.id)
      return { copies: shown === null ? [] : [shown], waiting: [] }
    } catch (error) {
      return untold(chat, notice, error)
    }
  }
  function untold({ platform }: Chat, notice: Notice, error: unknown): Telling {
    if (!(error instanceof Outage)) throw error
    if (error.transient) return { copies: [], waiting: [{ platform, why: error.message }] }
    log.warn({ platform, notice: notice.id, error: error.message }, 'chat does not take a notice')
    return { copies: [], waiting: [] }
  }
  async function wantsChannel({ kind }: Notice, user: string): Promise<boolean> {
    if (!site.announces || !forChannels.includes(kind)) return false
    return (await operations.perform(showSettings, system(), { user })).notify === 'channel'
  }
  function unasked(known: readonly Delivery[], platform: string | undefined): Chat[] {
    const told = new Set(known.map((copy) => copy.platform))
    return chats.filter((chat) => !told.has(chat.platform) && chat.platform === (platform ?? chat.platform))
  }
  return {
    async tell(notice, user, known, platform) {
      return together(await Promise.all(unasked(known, platform).map((chat) => tellOn(chat, notice, user))))
    },
    async announce(notice, known, platform) {
      return together(await Promise.all(unasked(known, platform).map((chat) => announceOn(chat, notice))))
    },
    async redraw(notice: Notice, copy: Delivery) {
      const chat = chats.find(({ platform }) => platform === copy.platform)
      if (chat === undefined) return
      await chat.update(copy, await draw(notice, copy.user, await zoneOn(chat, copy.user)))
    },
  }
}

/** Whoever reads a channel: nobody in particular. */
const nobodyElse: Reader = { user: '', groups: [], roles: [] }

/** What may be read by everybody, where somebody wants to be told in the channel. */
const forChannels: readonly NoticeKind[] = [
  'approval-wanted',
  'approval-reminder',
  'request-decided',
  'machine-expiring',
  'machine-expired',
]

function together(tellings: readonly Telling[]): Telling {
  return {
    copies: tellings.flatMap(({ copies }) => copies),
    waiting: tellings.flatMap(({ waiting }) => waiting),
  }
}

/** A notice goes to people by their name or by a group: whoever was sent it belongs to those it was for. */
function readerFrom(notice: Told, user: string, site: Site): Reader {
  const groups = notice.kind === 'shown' ? [] : notice.to.filter((name) => name !== user)
  const operator = isNamed({ user, groups, name: user, email: null }, site.roles.operator)
  return { user, groups, roles: operator ? ['operator'] : [] }
}

/** The card for a notice, from the facts as they are now. */
export async function drawNotice(look: Look, notice: Told, drawing: Drawing): Promise<Card> {
  try {
    return await drawKnown(look, notice, drawing)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'not_found') return goneCard(notice)
    throw error
  }
}

async function drawKnown(look: Look, notice: Told, drawing: Drawing): Promise<Card> {
  const { about, kind } = notice
  if (notice.text !== null && wordsOnly.includes(kind)) return factCard(notice, notice.text)
  if (about.kind === 'request') {
    if (kind === 'announced') {
      return announcementCard(
        await look.operations.perform(showRequest, look.caller, { id: about.id }),
        drawing,
      )
    }
    const found = await requestFacts(look, about.id)
    const news = found.request.requester === drawing.reader.user ? newsOf[kind] : undefined
    const drawn = news === undefined ? requestCard(found, drawing) : newsCard(found, news, drawing)
    const reminds = kind === 'approval-reminder' && drawn.tone === 'wait'
    return reminds ? { ...drawn, title: `Reminder: ${drawn.title}`.slice(0, 100) } : drawn
  }
  if (about.kind === 'budget') {
    const budget = await look.operations.perform(showBudget, look.caller, { code: about.id })
    return notice.text === null ? budgetCard(budget) : budgetWarningCard(budget, notice.text)
  }
  if (about.kind === 'pool' || about.kind === 'terminals') return operatorCard(look, about, drawing)
  if (about.kind === 'lease') {
    return leaseCard({ ...(await leaseFacts(look, about.id)), ending: kind === 'lease-ending' }, drawing)
  }
  if (notice.also !== undefined) return expiriesCard(await expiriesFacts(look, notice), drawing)
  if (kind === 'machine-expiring' || kind === 'machine-expired') {
    return expiryCard(await expiryFacts(look, about.id, notice.at), drawing)
  }
  return machineCard(await machineFacts(look, about.id), drawing)
}

/** What only operators are shown, as long as they are. */
async function operatorCard(look: Look, { kind, id }: Told['about'], drawing: Drawing): Promise<Card> {
  if (!drawing.reader.roles.includes('operator')) {
    return card({ summary: 'This is for operators.', title: id, tone: 'neutral' })
  }
  if (kind === 'pool') {
    return poolCareCard(await look.operations.perform(showPool, look.caller, { pool: id }), drawing)
  }
  const { items } = await look.operations.perform(listTerminals, look.caller, { standing: 'waiting' })
  return waitingTerminalsCard(items, drawing)
}

/** The servers of one reminder that are still kept. @throws Refusal `not_found` when none is. */
async function expiriesFacts(look: Look, { about, also = [], at }: Told): Promise<ExpiryFacts[]> {
  const asked = [about.id, ...also].map((name) => expiryFacts(look, name, at))
  const found = (await Promise.allSettled(asked)).flatMap((one) => {
    if (one.status === 'fulfilled') return [one.value]
    if (one.reason instanceof Refusal && one.reason.code === 'not_found') return []
    throw one.reason
  })
  if (found.length === 0) throw new Refusal('not_found', `The machine ${about.id} is no longer kept.`)
  return found
}

/** Notices to somebody who has the whole request before them already. */
const newsOf: Partial<Record<NoticeKind, News>> = {
  'request-decided': 'decided',
  'request-failed': 'done',
  'machine-ready': 'done',
}

/** Notices that say what has happened once and for all; how the machine is now is a press away. */
const wordsOnly: readonly NoticeKind[] = [
  'machine-deleted',
  'machine-failed',
  'machine-changed',
  'host-drained',
  'rebalanced',
  'host-down',
  'host-up',
]

const bad: readonly NoticeKind[] = ['machine-failed', 'host-down']

function factCard({ kind, about }: Told, text: string): Card {
  const deleted = kind === 'machine-deleted'
  const show =
    about.kind === 'host'
      ? lineButton('Show hosts', 'hosts')
      : lineButton(`Show ${about.id}`, `show "${about.id}"`)
  return card({
    summary: deleted ? `${about.id} was deleted: ${text}.` : text,
    title: about.id,
    tone: bad.includes(kind) ? 'bad' : deleted ? 'neutral' : 'good',
    parts: [deleted ? undefined : buttons(show)],
  })
}

function goneCard({ about }: Told): Card {
  const summary = `The ${about.kind} ${about.id} is no longer kept.`
  return card({ summary, title: about.id, tone: 'neutral', about: `${about.kind}:${about.id}` })
}
