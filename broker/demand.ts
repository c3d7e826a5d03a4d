import { DateTime } from 'luxon'
import { earliest, type Instant, instant, millis } from '../src/base/clock.ts'
import { addDays, type LocalDay, localDay } from '../src/base/period.ts'
import { closingAfter, openingAfter } from './opening-hours.ts'
import { type PoolRule, spareAt } from './pool.ts'
import type { SpareLevel } from './spares.ts'

/** How many desktops people asked a pool for on a day, by quarter hours of the site's clock. Kept for some weeks. */
export interface DemandDay {
  /** The pool and the day, as `public|2026-11-23`. */
  id: string
  pool: string
  day: LocalDay
  /** 96 numbers, the first from 00:00 to 00:15. */
  opened: number[]
}

/** How many desktops a pool keeps ready now, and how that number came about. */
export interface ExplainedLevel extends SpareLevel {
  /** A sentence for the operator. */
  why: string
}

export const quarterMillis = 900_000
const quarters = 96
/** Making a desktop takes minutes, so those of the quarter hour to come are wanted already. */
const ahead = 2

export function demandDayId(pool: string, day: LocalDay): string {
  return `${pool}|${day}`
}

/** The start of the quarter hour that an instant is in. Zones differ from UTC by whole quarters. */
export function quarterStart(at: Instant): Instant {
  return instant(Math.floor(millis(at) / quarterMillis) * quarterMillis)
}

/** A day with so many more openings in the quarter hours in which they were. */
export function withDemand(
  known: DemandDay | undefined,
  facts: { pool: string; day: LocalDay; at: readonly Instant[] },
  zone: string,
): DemandDay {
  const { pool, day, at } = facts
  const opened = [...(known?.opened ?? Array.from({ length: quarters }, () => 0))]
  for (const one of at) {
    const quarter = quarterOf(one, zone)
    opened[quarter] = (opened[quarter] ?? 0) + 1
  }
  return { id: demandDayId(pool, day), pool, day, opened }
}

function quarterOf(at: Instant, zone: string): number {
  const { hour, minute } = DateTime.fromISO(at, { zone })
  return hour * 4 + Math.floor(minute / 15)
}

/** The days whose demand says something about an instant: the same day of the week in the last weeks. */
export function daysLike(at: Instant, weeks: number, zone: string): LocalDay[] {
  const today = localDay(at, zone)
  return Array.from({ length: weeks }, (_, index) => addDays(today, -7 * (index + 1)))
}

/**
 * How many desktops a pool keeps ready at an instant: its usual number or what its schedule says; and where it follows
 * demand, the most that were asked for within half an hour at this time of the week, in the last weeks. The most and not
 * the average, since whoever finds none ready waits; and never more than the pool's size.
 */
export function levelAt(
  pool: Pick<PoolRule, 'size'>,
  at: Instant,
  zone: string,
  history: readonly DemandDay[],
): ExplainedLevel {
  const { size } = pool
  const set = spareAt(pool, at, zone)
  const usual = {
    running: set,
    saved: size.saved,
    why: set === size.spare ? 'its usual number' : 'its schedule says so',
  }
  if (size.demand === undefined) return usual
  const days = daysLike(at, size.demand.weeks, zone)
  const seen = history.filter(({ day }) => days.includes(day))
  const asked = seen.map((one) => ({ day: one.day, count: countFrom(one, quarterOf(at, zone)) }))
  const most = Math.max(0, ...asked.map(({ count }) => count))
  if (most <= set) return { ...usual, why: `${usual.why}; ${observed(asked, at, zone)}` }
  const why = observed(asked, at, zone)
  if (most <= size.max) return { ...usual, running: most, why }
  return { ...usual, running: size.max, why: `${why}; the pool has at most ${size.max}` }
}

/** Openings in a quarter hour and the next. What lies beyond midnight is another day's. */
function countFrom({ opened }: DemandDay, quarter: number): number {
  return opened.slice(quarter, quarter + ahead).reduce((sum, count) => sum + count, 0)
}

function observed(asked: readonly { day: LocalDay; count: number }[], at: Instant, zone: string): string {
  const start = DateTime.fromISO(quarterStart(at), { zone })
  if (asked.length === 0) return `no ${start.toFormat('cccc')} has been seen yet`
  const end = start.plus({ minutes: 15 * ahead }).toFormat('HH:mm')
  const counts = asked.map(({ day, count }) => `${count} on ${day}`).join(', ')
  return `opened from ${start.toFormat('HH:mm')} to ${end}: ${counts}`
}

/** When a pool's level may be another one, without anybody doing anything; null when it never is. */
export function levelChangesAfter(
  { size }: Pick<PoolRule, 'size'>,
  at: Instant,
  zone: string,
): Instant | null {
  const { schedule, demand, saved } = size
  const quarter = demand === undefined ? null : instant(millis(quarterStart(at)) + quarterMillis)
  if (schedule.length === 0) return quarter
  const closing = saved === 0 ? null : closingAfter(schedule, at, zone)
  // Outside of every window the answer is the instant itself, which is no change to come.
  return earliest(quarter, openingAfter(schedule, at, zone), closing === at ? null : closing)
}
