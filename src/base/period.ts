import { DateTime } from 'luxon'
import { type Instant, instant } from './clock.ts'

/** A calendar day of the site, `yyyy-mm-dd`. Text order is day order. */
export type LocalDay = string

/** The day of the site's calendar that an instant falls on. */
export function localDay(at: Instant, zone: string): LocalDay {
  const known = lastDays.find((span) => span.from <= at && at < span.to && span.zone === zone)
  if (known !== undefined) return known.day
  const day = DateTime.fromISO(at, { zone }).toFormat('yyyy-MM-dd')
  lastDays.unshift({ day, zone, from: startOfDay(day, zone), to: startOfDay(addDays(day, 1), zone) })
  lastDays.length = Math.min(lastDays.length, 8)
  return day
}

/** The last few days that were asked for: nearly all questions are about now, and every operation asks one. */
const lastDays: { day: LocalDay; zone: string; from: Instant; to: Instant }[] = []

/** The first instant of a day in the zone (not always 00:00: some zones change their clocks at midnight). */
export function startOfDay(day: LocalDay, zone: string): Instant {
  const key = `${day} ${zone}`
  const start = starts.get(key) ?? instant(DateTime.fromISO(day, { zone }).startOf('day').toMillis())
  if (starts.size >= 100) starts.clear()
  starts.set(key, start)
  return start
}

/** The last few answers of `startOfDay`: when thousands of machines are charged, all of them ask for the same days. */
const starts = new Map<string, Instant>()

const dayMillis = 86_400_000

export function addDays(day: LocalDay, count: number): LocalDay {
  return instant(Date.parse(day) + count * dayMillis).slice(0, 10)
}

/** Days from one calendar day to another: 2009-10-16 to 2009-10-30 is 14. Half-open: the last day is not counted. */
export function daysBetween(range: { from: LocalDay; to: LocalDay }): number {
  return (Date.parse(range.to) - Date.parse(range.from)) / dayMillis
}

/** Whether a text is a day that exists in the calendar. */
export function isLocalDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && DateTime.fromISO(text, { zone: 'utc' }).isValid
}

/**
 * The days that a term between two instants covers, half-open: the day it starts on is the first, the day it ends on is
 * not counted. Hours play no part, so a day of 23 or 25 hours is a day.
 */
export function termOf(span: { from: Instant; to: Instant; zone: string }): { from: LocalDay; to: LocalDay } {
  return { from: localDay(span.from, span.zone), to: localDay(span.to, span.zone) }
}
