import { DateTime, Duration as LuxonDuration } from 'luxon'
import { z } from 'zod'
import { type Instant, instant } from './clock.ts'

/**
 * An ISO 8601 duration, kept in three parts because a month is not a number of days and a local day is not always
 * 24 hours: months and days are walked on the site's calendar, the rest is exact.
 */
export interface Duration {
  months: number
  days: number
  millis: number
}

const iso = /^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,3})?S)?)?$/

/** Parses an ISO 8601 duration such as `P30D`, `P1M`, `PT15M`, `PT0.2S`; nothing when the text is not one. */
export function parseDuration(text: string): Duration | undefined {
  if (!iso.test(text)) return undefined
  const d = LuxonDuration.fromISO(text)
  return {
    months: d.years * 12 + d.months,
    days: d.weeks * 7 + d.days,
    millis: Math.round(d.hours * 3_600_000 + d.minutes * 60_000 + d.seconds * 1000 + d.milliseconds),
  }
}

/** An ISO 8601 duration in a configuration or an API, parsed. */
export const IsoDuration = z.string().transform((text, context) => {
  const parsed = parseDuration(text)
  if (parsed !== undefined) return parsed
  context.addIssue({ code: 'custom', message: 'an ISO 8601 duration, such as P30D, PT8H or PT15M' })
  return z.NEVER
})

export function days(count: number): Duration {
  return { months: 0, days: count, millis: 0 }
}

export function addDuration(at: Instant, duration: Duration, zone: string, sign: 1 | -1 = 1): Instant {
  // Hours are hours on every calendar, and most durations of leases are nothing else.
  if (duration.months === 0 && duration.days === 0) return instant(Date.parse(at) + sign * duration.millis)
  const start = DateTime.fromISO(at, { zone })
  const moved = start.plus({ months: sign * duration.months, days: sign * duration.days })
  return instant(moved.toMillis() + sign * duration.millis)
}

/** For timers and comparisons where a day may count as 24 hours and a month as 30 days. */
export function roughMillis(duration: Duration): number {
  return (duration.months * 30 + duration.days) * 86_400_000 + duration.millis
}

export function formatDuration(duration: Duration): string {
  const seconds = duration.millis / 1000
  const time = LuxonDuration.fromObject({
    hours: Math.floor(seconds / 3600),
    minutes: Math.floor((seconds % 3600) / 60),
    seconds: Math.round((seconds % 60) * 1000) / 1000,
  })
  return LuxonDuration.fromObject({ months: duration.months, days: duration.days, ...time.toObject() })
    .removeZeros()
    .toISO()
}
