import { DateTime } from 'luxon'
import { type Instant, instant } from '../../src/base/clock.ts'
import { addDuration, type Duration, formatDuration } from '../../src/base/duration.ts'
import { addDays, type LocalDay, startOfDay } from '../../src/base/period.ts'
import { type Calendar, type DateReading, readDate } from './dates.ts'
import { type DurationReading, readDuration } from './durations.ts'
import type { Token } from './normalise.ts'
import { wordAt } from './words.ts'

/** How long, as a person said it. `time` is `HH:mm` on the calendar's clock; without one the whole day is meant. */
export type Term =
  | { kind: 'for'; duration: Duration }
  | { kind: 'until'; day: LocalDay; time: string | null }
  | { kind: 'never' }

/** What words about time may mean: one choice is certain, several are to be asked about. */
export interface TermReading {
  used: number
  choices: { label: string; term: Term }[]
  slip?: { at: number; meant: string }
  problem?: string
}

/**
 * The instant at which a term ends; nothing for `never`. Months and days are walked on the zone's calendar from `now`
 * (for an extension that is the old end). "Until 31 December" includes that day: it ends as the next one starts.
 */
export function resolveTerm(term: Term, now: Instant, zone: string): Instant | null {
  if (term.kind === 'never') return null
  if (term.kind === 'for') return addDuration(now, term.duration, zone)
  if (term.time === null) return startOfDay(addDays(term.day, 1), zone)
  return instant(DateTime.fromISO(`${term.day}T${term.time}`, { zone }).toMillis())
}

/** A term as it can be typed again: `for 1mo2d`, `until 2026-12-31 17:00`, `never`. */
export function formatTerm(term: Term): string {
  if (term.kind === 'never') return 'never'
  if (term.kind === 'until') return `until ${term.day}${term.time === null ? '' : ` ${term.time}`}`
  const { months, days, millis } = term.duration
  if (millis % 60_000 !== 0) return `for ${formatDuration(term.duration)}`
  const weeks = months === 0 && millis === 0 && days % 7 === 0
  const parts: [number, string][] = [
    [months, 'mo'],
    [weeks ? days / 7 : days, weeks ? 'w' : 'd'],
    [Math.floor(millis / 3_600_000), 'h'],
    [(millis % 3_600_000) / 60_000, 'm'],
  ]
  return `for ${parts.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('')}`
}

const leads = new Set(['for', 'by'])
const untils = new Set(['until', 'till', 'til', 'through', 'expires', 'expiring', 'to'])
const nevers = new Set(['never', 'forever', 'indefinitely'])

/** Reads words about time from a place on. Without `for` or `until`, only what cannot be anything else. */
export function readTerm(tokens: readonly Token[], at: number, calendar: Calendar): TermReading | undefined {
  const word = wordAt(tokens, at)
  if (nevers.has(word)) return never(/^expires?$/.test(wordAt(tokens, at + 1)) ? 2 : 1)
  if (leads.has(word)) return readFor(tokens, at, calendar)
  if (untils.has(word)) return readUntil(tokens, at, calendar)
  const duration = readDuration(tokens, at, { bare: false })
  if (duration !== undefined) return lasting(duration, 0)
  const date = readDate(tokens, at, { ...calendar, relative: false })
  return date === undefined ? undefined : ending(date, { skipped: 0, said: word, calendar })
}

function readFor(tokens: readonly Token[], at: number, calendar: Calendar): TermReading | undefined {
  let from = at + 1
  while (['the', 'next', 'about', 'up', 'to'].includes(wordAt(tokens, from))) from++
  if (/^(ever|good)$/.test(wordAt(tokens, from))) return never(from + 1 - at)
  const date = readDate(tokens, from, { ...calendar, relative: false })
  if (date !== undefined) return ending(date, { skipped: from - at, said: wordAt(tokens, from), calendar })
  const duration = readDuration(tokens, from, { bare: true })
  if (duration !== undefined) return lasting(duration, from - at)
  const word = wordAt(tokens, from)
  if (!/^[-+]?\d/.test(word)) return undefined
  return unread(
    from + 1 - at,
    `I cannot read "${word}" as a length of time. Write it as 8h, 30d, 2 weeks or 1mo.`,
  )
}

function readUntil(tokens: readonly Token[], at: number, calendar: Calendar): TermReading | undefined {
  const word = wordAt(tokens, at + 1)
  if (nevers.has(word)) return never(2)
  const date = readDate(tokens, at + 1, { ...calendar, relative: true })
  if (date !== undefined) return ending(date, { skipped: 1, said: word, calendar })
  if (!['until', 'till', 'til'].includes(wordAt(tokens, at))) return undefined
  return unread(
    word === '' ? 1 : 2,
    word === ''
      ? 'Say a day after "until", such as 2026-12-31.'
      : `I cannot read "${word}" as a day. Write it as 2026-12-31, 31 Dec 2026 or fri 17:00.`,
  )
}

function never(used: number): TermReading {
  return { used, choices: [{ label: 'never', term: { kind: 'never' } }] }
}

function unread(used: number, problem: string): TermReading {
  return { used, choices: [], problem }
}

/** A length of time as a term, with the words before it counted. */
export function lasting(reading: DurationReading, skipped: number): TermReading {
  const choices = reading.options.map(({ label, duration }) => ({
    label,
    term: { kind: 'for' as const, duration },
  }))
  return { ...reading, used: reading.used + skipped, choices }
}

function ending(date: DateReading, said: { skipped: number; said: string; calendar: Calendar }): TermReading {
  const used = date.used + said.skipped
  if (date.days.some((day) => day.startsWith('9999-'))) return never(used)
  if (date.days.length === 0) return unread(used, `There is no day "${said.said}" in the calendar.`)
  const { now, zone } = said.calendar
  const choices = date.days
    .map((day) => ({ label: longDay(day), term: { kind: 'until' as const, day, time: date.time } }))
    .filter(({ term }) => (resolveTerm(term, now, zone) ?? now) > now)
  if (choices.length > 0) return { used, choices }
  const past = date.days.map(longDay).join(' or ') + (date.time === null ? '' : ` ${date.time}`)
  return unread(used, `${past} is in the past. Say a day that is still to come.`)
}

function longDay(day: LocalDay): string {
  return DateTime.fromISO(day, { zone: 'utc', locale: 'en' }).toFormat('d LLLL yyyy')
}
