import { DateTime } from 'luxon'
import { type Instant, instant } from '../base/clock.ts'

/** How and when somebody wants to be told things, and what else they have set for themselves. */
export interface Settings {
  /** Whose they are. */
  id: string
  /** In a conversation of their own, or in the site's channel for what everybody there may read. */
  notify: 'direct' | 'channel'
  /** Whether what can wait is told once a day, at the start of their working day. */
  digest: boolean
  /** Their working hours on Monday to Friday, `HH:mm`; null when any time will do. */
  hours: { from: string; to: string } | null
  /** The time zone that they chose (IANA name); null for the one that their chat tells, else the site's. */
  zone: string | null
  /** The time zone that their chat told last. */
  seenZone: string | null
  /** OpenSSH public keys for their Linux servers; absent while they have given none. */
  sshKeys?: readonly string[]
}

/** How everybody is told things who has not said otherwise. */
export function usualSettings(user: string): Settings {
  const hours = { from: '08:00', to: '18:00' }
  return { id: user, notify: 'direct', digest: false, hours, zone: null, seenZone: null }
}

/** The zone in which somebody's working hours are. */
export function zoneOf({ zone, seenZone }: Settings, siteZone: string): string {
  return zone ?? seenZone ?? siteZone
}

/**
 * When something that can wait is told: now within working hours, else when they begin next; with a digest always when
 * they begin next. What would come later than `latest` is told now: being told in time goes before not being disturbed.
 */
export function tellingAt(
  settings: Settings,
  { now, latest, siteZone }: { now: Instant; latest: Instant; siteZone: string },
): Instant {
  const at = convenient(settings, now, siteZone)
  return at <= latest ? at : now
}

function convenient(settings: Settings, now: Instant, siteZone: string): Instant {
  const { hours, digest } = settings
  const local = DateTime.fromISO(now, { zone: zoneOf(settings, siteZone) })
  const { from, to } = hours ?? { from: '09:00', to: '24:00' }
  const time = local.toFormat('HH:mm')
  if (!digest && (hours === null || (isWorkday(local) && isBetween(time, from, to)))) return now
  const [hour = 0, minute = 0] = from.split(':').map(Number)
  let start = local.set({ hour, minute, second: 0, millisecond: 0 })
  while (start <= local || !(hours === null || isWorkday(start))) start = start.plus({ days: 1 })
  return instant(start.toMillis())
}

function isWorkday({ weekday }: DateTime): boolean {
  return weekday <= 5
}

/** Hours may go over midnight, such as 22:00 to 06:00 for who works at night. */
function isBetween(time: string, from: string, to: string): boolean {
  return from <= to ? time >= from && time < to : time >= from || time < to
}
