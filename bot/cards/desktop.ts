import type { LeaseView } from '../../src/operations/shapes/lease.ts'
import type { ProgressView } from '../../src/operations/shapes/job.ts'
import type { Card, Part } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { progressPart, progressWords } from './job.ts'
import { button, buttons, card, facts, table, words } from './parts.ts'
import { relative, when } from './words.ts'

export interface LeaseFacts {
  lease: LeaseView
  progress?: ProgressView
  /** The page on which a desktop is opened. */
  desktopPage: string
  /** Set on a warning that its end is near. */
  ending?: boolean
}

/** A person's session on a desktop: until when, and how to keep or to leave it. */
export function leaseCard(found: LeaseFacts, drawing: Drawing): Card {
  const { lease, progress } = found
  const open = lease.state !== 'ended'
  return card({
    summary: sentence(found, drawing),
    title: `Desktop of pool ${lease.pool}`,
    tone: open && (found.ending === true || lease.trouble !== undefined) ? 'warn' : tones[lease.state],
    about: `lease:${lease.id}`,
    parts: [
      words(lease.trouble?.text),
      progressPart(progress, 'Your desktop'),
      isOpenable(lease) ? openLink(found) : undefined,
      facts(
        ['Desktop', lease.desktop],
        ['Pool', lease.pool],
        ['Terminal', lease.terminal?.name],
        ['Ends', open ? when(lease.endsAt, drawing) : null],
        ['Asked for', open ? askedWords(lease, drawing) : null],
        ['Ended', lease.endedAt === null ? null : when(lease.endedAt, drawing)],
        ['Price', open ? priceOf(lease) : null],
        ['Cost to date', lease.cost === undefined ? null : `${lease.cost.toDate} ${lease.cost.currency}`],
      ),
      lease.user === drawing.reader.user ? (open ? leaseButtons(lease) : againButtons(lease)) : undefined,
    ],
  })
}

function isOpenable({ state, trouble }: LeaseView): boolean {
  return trouble === undefined && (state === 'offered' || state === 'disconnected')
}

function askedWords({ asked }: LeaseView, drawing: Drawing): string | null {
  return asked === undefined
    ? null
    : `until ${when(asked.until, drawing)}: ${asked.request} waits for a decision`
}

function priceOf({ cost }: LeaseView): string | null {
  if (cost === undefined) return null
  return `${cost.perHour} ${cost.currency} for each hour that is begun, paid from ${cost.budget}`
}

const tones: Readonly<Record<LeaseView['state'], Card['tone']>> = {
  preparing: 'wait',
  offered: 'good',
  connected: 'good',
  disconnected: 'neutral',
  ended: 'neutral',
}

const endWords: Readonly<Record<NonNullable<LeaseView['endReason']>, string>> = {
  logged_off: 'you logged off',
  released: 'you gave it back',
  expired: 'its time was over',
  idle: 'nobody used it',
  disconnected_too_long: 'nobody came back to it',
  revoked: 'an operator ended it',
  desktop_lost: 'the desktop was lost',
  pool_closed: 'the pool was closed',
  never_used: 'nobody connected',
  failed: 'no desktop could be made',
}

function sentence({ lease, progress, ending }: LeaseFacts, drawing: Drawing): string {
  const { desktop, pool, endsAt, state } = lease
  const name = desktop ?? `your desktop of pool ${pool}`
  if (state === 'ended') {
    const why = lease.endReason === null ? 'it was over' : endWords[lease.endReason]
    return `Your session on ${name} has ended: ${why}.`
  }
  if (ending === true)
    return `Your session on ${name} ends ${when(endsAt, drawing)}. Save your work, or extend it.`
  if (state === 'preparing') {
    return `Your desktop of pool ${pool} is being prepared${progress === undefined ? '' : `: ${progressWords(progress)}`}.`
  }
  if (state === 'connected') return `You are connected to ${name} until ${when(endsAt, drawing)}.`
  if (state === 'disconnected') return `Your session on ${name} waits for you until ${when(endsAt, drawing)}.`
  return `Your desktop ${name} is ready until ${when(endsAt, drawing)}.`
}

function openLink({ desktopPage }: LeaseFacts): Part {
  return { kind: 'link', label: 'Open it on this computer', url: desktopPage }
}

/** How much the button adds, in minutes. */
export const leaseMinutes = 30

function leaseButtons({ id, desktop, pool, trouble }: LeaseView): Part | undefined {
  const name = desktop ?? `the desktop of pool ${pool}`
  return buttons(
    trouble?.code === 'desktop_unreachable' ? againButton('Try again', pool) : undefined,
    button({
      label: `Extend ${leaseMinutes} min`,
      action: 'extend-lease',
      value: id,
      spoken: `Extend ${leaseMinutes} min: your session on ${name}`,
    }),
    button({
      label: 'Log off',
      action: 'end-lease',
      value: id,
      spoken: `Log off ${name}`,
      confirm: {
        title: `Log off ${name}?`,
        text: 'Programs that run there are closed. Save your work first.',
        yes: 'Log off',
      },
    }),
  )
}

/** After an end that was nobody's wish a person most likely wants to go on. */
function againButtons({ endReason, pool }: LeaseView): Part | undefined {
  const unwished: readonly LeaseView['endReason'][] = ['desktop_lost', 'failed']
  return unwished.includes(endReason) ? buttons(againButton('Open a desktop', pool)) : undefined
}

function againButton(label: string, pool: string) {
  return button({ label, action: 'open-desktop', value: pool, spoken: `${label} of pool ${pool}` })
}

/** A pool as the list of pools shows it. */
export interface PoolView {
  name: string
  title: string
  kind: 'persistent' | 'shared'
  desktop?: { name: string; state: string } | undefined
  lease?: LeaseView | undefined
  ready: number
  total: number
  max: number
}

export function poolsCard(pools: readonly PoolView[], drawing: Drawing): Card {
  const sessions = pools.filter(({ lease }) => lease !== undefined)
  return card({
    summary: poolsSentence(pools, sessions.length),
    title: 'Desktops',
    tone: 'neutral',
    parts: [
      table(
        'Pools that you may use',
        ['Pool', 'Kind', 'Your desktop', 'Your session', 'Ready'],
        pools.map((pool) => [
          pool.title === pool.name ? pool.name : `${pool.name} (${pool.title})`,
          pool.kind === 'persistent' ? 'yours, kept' : 'a clean one each time',
          pool.desktop === undefined ? '' : `${pool.desktop.name}, ${pool.desktop.state}`,
          pool.lease === undefined
            ? ''
            : `${pool.lease.state}, ends ${relative(pool.lease.endsAt, drawing.now)}`,
          `${pool.ready} of ${pool.max}`,
        ]),
      ),
      buttons(...pools.slice(0, 10).map(openButton)),
    ],
  })
}

function poolsSentence(pools: readonly PoolView[], sessions: number): string {
  if (pools.length === 0)
    return 'There is no pool of desktops that you may use. Ask an operator to let you in.'
  const many = pools.length === 1 ? 'one pool' : `${pools.length} pools`
  return `You may use ${many} of desktops, and have ${sessions === 0 ? 'no session' : String(sessions)} open.`
}

export function openButton({ name, lease }: Pick<PoolView, 'name' | 'lease'>) {
  return button({
    label: lease === undefined ? `Open ${name}` : `Go on in ${name}`,
    action: 'open-desktop',
    value: name,
    spoken: lease === undefined ? `Open ${name}: a desktop` : `Go on in ${name}: your session`,
  })
}
