import { earliest, type Instant, instant, latest, millis, plusMillis } from '../base/clock.ts'
import { addDuration, roughMillis } from '../base/duration.ts'
import type { MachinePolicy } from './expiry.ts'
import type { Machine, Reminder } from './machine.ts'

/** When somebody was first told about the machine's present end; null when nobody was. */
export function toldAt(machine: Machine): Instant | null {
  return earliest(...rowsOf(machine).map((row) => row.deliveredAt))
}

function rowsOf(machine: Machine): Reminder[] {
  return machine.reminders.filter((row) => row.end === machine.expiresAt)
}

/** When the present term began. */
function termStart(machine: Machine): Instant {
  return machine.extendedAt ?? machine.createdAt
}

/** The end, or for a machine that came here past its end the moment it came: before that nobody could be told. */
export function reckoningOf(machine: Machine, end: Instant): Instant {
  return latest(end, termStart(machine))
}

/** Reminders about the present end that no row stands for, in order. */
export function openReminders(
  machine: Machine,
  end: Instant,
  policy: MachinePolicy,
  zone: string,
): Instant[] {
  const rows = rowsOf(machine).map((row) => row.dueAt)
  const last = rows.length === 0 ? null : rows.reduce((a, b) => (a > b ? a : b))
  const planned = plannedReminders(machine, end, policy, zone).filter((at) => last === null || at > last)
  if (toldAt(machine) !== null) return planned
  const reckoning = reckoningOf(machine, end)
  const again = last === null || last < reckoning ? reckoning : plusMillis(last, repeatMillis(policy))
  return [...planned, again]
}

/**
 * Reminders before the end. Those that would have been due before the term began are left out; when that leaves
 * none, there is one at half of the term. A machine that came here past its end has none: see `reckoningOf`.
 */
function plannedReminders(machine: Machine, end: Instant, policy: MachinePolicy, zone: string): Instant[] {
  const start = termStart(machine)
  if (end <= start || machine.letGoOf === end) return []
  const points = policy.reminders
    .map((offset) => addDuration(end, offset, zone, -1))
    .filter((at) => at > start && at < end)
  const planned =
    points.length === 0
      ? [instant(Math.floor((millis(start) + millis(end)) / 2))]
      : [...new Set(points)].sort()
  const { snoozed } = machine
  if (snoozed?.end !== end) return planned
  return [snoozed.until, ...planned.filter((at) => at > snoozed.until)]
}

/** When a machine that is not expired should be; null while that waits for somebody to be told. */
export function expiryAt(machine: Machine, end: Instant, policy: MachinePolicy): Instant | null {
  if (end > termStart(machine)) return end
  const told = toldAt(machine)
  return told === null ? null : plusMillis(told, halfGraceMillis(policy))
}

/** When an expired machine may be deleted; null while nobody has been told. */
export function deletionAt(
  machine: Machine,
  end: Instant,
  policy: MachinePolicy,
  zone: string,
): Instant | null {
  const told = toldAt(machine)
  if (told === null) return null
  const graceEnds = addDuration(latest(end, told), policy.grace, zone)
  const expiredAt = machine.history.findLast((row) => row.state === 'expired')?.at
  return latest(graceEnds, expiredAt === undefined ? null : plusMillis(expiredAt, halfGraceMillis(policy)))
}

function halfGraceMillis(policy: MachinePolicy): number {
  return Math.floor(roughMillis(policy.grace) / 2)
}

/** Not more often than each second, even at a site without grace. */
function repeatMillis(policy: MachinePolicy): number {
  return Math.max(1000, roughMillis(policy.grace))
}
