import { DateTime } from 'luxon'
import { z } from 'zod'
import { earliest, type Instant, instant } from '../src/base/clock.ts'

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const Clock = z
  .string()
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'a time of day, such as 07:30; 24:00 is the end of the day')

/** Times of the week on the site's clock, `from` (included) to `to` (not included) on each of the days. */
export const Hours = z
  .object({ days: z.array(z.enum(weekdays)).min(1), from: Clock, to: Clock })
  .refine(({ from, to }) => from < to, 'an end after its start, on the same day')
export type Hours = z.infer<typeof Hours>

interface Span {
  from: Instant
  to: Instant
}

/** Beyond this many days nobody looks. */
const ahead = 8

/** The spans of hours from the day before an instant on, in order; those that touch or overlap are one. */
function spansFrom(hours: readonly Hours[], at: Instant, zone: string): Span[] {
  const today = DateTime.fromISO(at, { zone }).startOf('day')
  const all: Span[] = []
  for (let day = -1; day <= ahead; day++) {
    const start = today.plus({ days: day })
    const name = weekdays[start.weekday - 1]
    for (const { days, from, to } of hours) {
      if (name !== undefined && days.includes(name)) all.push({ from: on(start, from), to: on(start, to) })
    }
  }
  return merged(all.sort((a, b) => (a.from < b.from ? -1 : 1)))
}

/** A time of a day. On the day on which clocks change it is what the clocks show. */
function on(day: DateTime, clock: string): Instant {
  const [hour = 0, minute = 0] = clock.split(':').map(Number)
  const at = hour === 24 ? day.plus({ days: 1 }) : day.set({ hour, minute })
  return instant(at.toMillis())
}

function merged(spans: readonly Span[]): Span[] {
  const found: Span[] = []
  for (const span of spans) {
    const last = found.at(-1)
    if (last === undefined || last.to < span.from) found.push(span)
    else found[found.length - 1] = { from: last.from, to: last.to < span.to ? span.to : last.to }
  }
  return found
}

/** Whether it is within the hours. Without any it always is. */
export function isWithin(hours: readonly Hours[], at: Instant, zone: string): boolean {
  return hours.length === 0 || spansFrom(hours, at, zone).some(({ from, to }) => from <= at && at < to)
}

/** When the hours that an instant is in are over; the instant itself when they are; null when that is days away. */
export function closingAfter(hours: readonly Hours[], at: Instant, zone: string): Instant | null {
  if (hours.length === 0) return null
  const spans = spansFrom(hours, at, zone)
  const here = spans.find(({ from, to }) => from <= at && at < to)
  if (here === undefined) return at
  const last = spans.at(-1)
  // The last one may go on beyond what was looked at.
  return here === last && here.to > instant(Date.parse(at) + (ahead - 1) * 86_400_000) ? null : here.to
}

/** When hours begin next, after an instant; null when that is not within a week. */
export function openingAfter(hours: readonly Hours[], at: Instant, zone: string): Instant | null {
  return earliest(...spansFrom(hours, at, zone).map(({ from }) => (from > at ? from : null)))
}
