import { DateTime } from 'luxon'
import { type Instant, millis } from '../base/clock.ts'
import { counted } from '../base/text.ts'

/** An instant on the site's clock: `16 Oct 2026, 14:00`. */
export function localTime(at: Instant, zone: string): string {
  return DateTime.fromISO(at, { zone, locale: 'en-GB' }).toFormat('d LLL yyyy, HH:mm')
}

export function clockTime(at: Instant, zone: string): string {
  return DateTime.fromISO(at, { zone }).toFormat('HH:mm')
}

/** How far an instant is from now, in the largest unit that says enough: `in 14 days`, `3 minutes ago`. */
export function relativeTime(at: Instant, now: Instant): string {
  const distance = millis(at) - millis(now)
  const words = span(Math.abs(distance))
  if (words === undefined) return 'now'
  return distance > 0 ? `in ${words}` : `${words} ago`
}

/** A time that passes, in words; nothing when it is too short to count. */
export function span(amountMillis: number): string | undefined {
  const minutes = Math.round(amountMillis / 60_000)
  if (minutes < 1) return undefined
  if (minutes < 90) return counted(minutes, 'minute')
  if (minutes < 600) {
    const [hours, rest] = [Math.floor(minutes / 60), minutes % 60]
    return rest === 0 ? counted(hours, 'hour') : `${counted(hours, 'hour')} ${counted(rest, 'minute')}`
  }
  const hours = Math.round(minutes / 60)
  if (hours < 48) return counted(hours, 'hour')
  const days = Math.round(hours / 24)
  if (days < 60) return counted(days, 'day')
  const months = Math.round(days / 30.44)
  return months < 24 ? counted(months, 'month') : counted(Math.round(days / 365.25), 'year')
}
