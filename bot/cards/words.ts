import { DateTime } from 'luxon'
import { type Instant, millis } from '../../src/base/clock.ts'
import { counted } from '../../src/base/text.ts'
import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { Drawing } from './drawing.ts'

type Times = Pick<Drawing, 'now' | 'zone'>

/** An instant as people read it: `Sat 31 Jan 2026, 13:00 (in 30 days)`. */
export function when(at: Instant, times: Times): string {
  return `${on(at, times)} (${relative(at, times.now)})`
}

/** `Sat 31 Jan 2026, 13:00`, in the site's zone. */
export function on(at: Instant, { zone }: Pick<Times, 'zone'>): string {
  return DateTime.fromISO(at, { zone, locale: 'en-GB' }).toFormat('ccc d LLL yyyy, HH:mm')
}

/** A day of the site's calendar: `31 Jan 2026`. */
export function dayWords(day: string): string {
  return DateTime.fromISO(day, { zone: 'utc', locale: 'en-GB' }).toFormat('d LLL yyyy')
}

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** `in 30 days`, `2 hours ago`, `now`. */
export function relative(at: Instant, now: Instant): string {
  const distance = millis(at) - millis(now)
  const length = Math.abs(distance)
  if (length < minute / 2) return 'now'
  const words =
    length < 90 * minute
      ? counted(Math.max(1, Math.round(length / minute)), 'minute')
      : length < 36 * hour
        ? counted(Math.round(length / hour), 'hour')
        : counted(Math.round(length / day), 'day')
  return distance > 0 ? `in ${words}` : `${words} ago`
}

/** `20.55 CHF`; nothing at all is `nothing`, since a bare 0.00 looks like a mistake. */
export function priceWords(amount: string, currency: string): string {
  return isNothing(amount) ? 'nothing' : `${amount} ${currency}`
}

export function isNothing(amount: string): boolean {
  return Number(amount) === 0
}

export function sizeWords({ cpus, memoryGb }: { cpus: number; memoryGb: number }): string {
  return `${counted(cpus, 'CPU')}, ${memoryGb} GB`
}

export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`
}

/** What a machine is or does, to stand after its name. */
export const stateWords: Readonly<Record<MachineView['state'], string>> = {
  provisioning: 'is being made',
  running: 'is running',
  stopped: 'is shut down',
  saved: 'is saved to disk',
  paused: 'is paused',
  migrating: 'is being moved to another host',
  archived: 'is archived',
  expired: 'has expired',
  deleting: 'is being deleted',
  deleted: 'was deleted',
  unreachable: 'is on a host that does not answer',
  failed: 'could not be made',
}

/** The same, to stand alone in a table: `running`. */
export function stateWord(state: MachineView['state']): string {
  return stateWords[state].replace(/^(is|was|has) /, '')
}

/** `you` for the reader, else the account name. */
export function nameOf(user: string, { reader }: Pick<Drawing, 'reader'>): string {
  return user === reader.user ? 'you' : user
}

/** The same at the start of a sentence. Account names keep their letters; `policy` is the budget's own rule. */
export function deciderOf(user: string, drawing: Pick<Drawing, 'reader'>): string {
  if (user === 'policy') return 'The rule of the budget'
  return user === drawing.reader.user ? 'You' : user
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
