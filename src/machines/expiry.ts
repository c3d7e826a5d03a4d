import { DateTime } from 'luxon'
import { z } from 'zod'
import { earliest, type Instant, plusMillis } from '../base/clock.ts'
import { addDuration, type Duration, IsoDuration } from '../base/duration.ts'
import { Refusal } from '../base/errors.ts'
import { move } from '../base/states.ts'
import { counted, list } from '../base/text.ts'
import { checkVerb } from './control.ts'
import { type Machine, machineStates, type MachineState, type Reminder } from './machine.ts'
import { deletionAt, expiryAt, openReminders, reckoningOf, toldAt } from './reminders.ts'

/** What the site does about the end of machines. */
export const MachinePolicy = z.strictObject({
  /** The longest term from now that may be asked for. */
  maxTerm: IsoDuration,
  /** Extensions that need no approver; further ones do. */
  extensionsWithoutApproval: z.number().int().min(0),
  /** How long before its end an owner is reminded. */
  reminders: z.array(IsoDuration).min(1),
  /** How long an expired machine is kept after its owner was told. */
  grace: IsoDuration,
  atEnd: z.enum(['save', 'shutdown']),
  /** Whether a machine without an end may be asked for. */
  never: z.boolean().default(false),
})
export type MachinePolicy = z.infer<typeof MachinePolicy>

/** A reminder that should be sent now. It becomes a row of the machine with the notice that carries it. */
export type DueReminder = Pick<Reminder, 'end' | 'dueAt'>

/**
 * What to do about a machine's end now. The row that comes with `expire` is for the notice that says so. A decision
 * stands until it has been carried out, so a caller that has queued a job for it should not queue another.
 */
export type ExpiryDecision =
  | { kind: 'remind'; reminder: DueReminder }
  | { kind: 'expire'; reminder: DueReminder }
  | { kind: 'delete' }
  | { kind: 'wait' }

/** Nothing is decided about the end of these: they are on their way out, or never came to be. */
const outOfTime: readonly MachineState[] = ['deleting', 'deleted', 'failed']

/** At rest already when their end comes: what follows is the grace. */
const resting: readonly MachineState[] = ['expired', 'archived']

/** These cannot be saved just now: their end waits until they come to rest, though their owner is told. */
const unsettled: readonly MachineState[] = ['provisioning', 'migrating', 'unreachable']

/** How soon an unsettled machine that is past its end is looked at again. */
const unsettledMillis = 60_000

/**
 * Decides about the end of a machine:
 *
 * - A reminder is due once its time has come and no row for it, or for a later one, exists. It is sent late rather
 *   than skipped; of several that are overdue only the most urgent is sent.
 * - At its end a machine expires. One whose end had passed when it came here (it was taken over) goes on as it was
 *   until half of the grace has passed since somebody was told, so that they can still extend it while it runs.
 * - A machine in the library does not expire, since it is at rest already; otherwise it is as an expired one.
 * - An expired machine is deleted when somebody was told about this end, and the grace has passed since the end and
 *   since the first delivery. It is kept for half of the grace after it expired in any case, for the day on which
 *   the service itself was down at the end of the machine.
 * - While nobody could be told, reminders go on after the end, one each grace, and nothing is deleted.
 */
export function expiryDecision(
  machine: Machine,
  policy: MachinePolicy,
  now: Instant,
  zone: string,
): ExpiryDecision {
  const end = machine.expiresAt
  if (end === null || outOfTime.includes(machine.state)) return { kind: 'wait' }
  if (resting.includes(machine.state)) {
    const deleteAt = deletionAt(machine, end, policy, zone)
    if (deleteAt !== null && deleteAt <= now) return { kind: 'delete' }
  } else if (!unsettled.includes(machine.state)) {
    const expireAt = expiryAt(machine, end, policy)
    if (expireAt !== null && expireAt <= now) return { kind: 'expire', reminder: { end, dueAt: expireAt } }
  }
  const reminder = dueReminders(machine, policy, now, zone).at(-1)
  return reminder === undefined ? { kind: 'wait' } : { kind: 'remind', reminder }
}

/** Reminders that are due and have no row yet, the most urgent last. One notice about the last makes good for all. */
export function dueReminders(
  machine: Machine,
  policy: MachinePolicy,
  now: Instant,
  zone: string,
): DueReminder[] {
  const end = machine.expiresAt
  if (end === null || outOfTime.includes(machine.state)) return []
  const reckoning = reckoningOf(machine, end)
  return openReminders(machine, end, policy, zone)
    .filter((at) => at <= now && !(toldAt(machine) !== null && now >= reckoning))
    .map((at) => ({ end, dueAt: at > reckoning ? now : at }))
}

/**
 * The next instant at which `expiryDecision` may say something else than `wait`; in the past when it does so now,
 * and null when nothing will ever be due.
 */
export function nextAttention(
  machine: Machine,
  policy: MachinePolicy,
  now: Instant,
  zone: string,
): Instant | null {
  if (outOfTime.includes(machine.state)) return null
  const agreed = earliest(
    machine.state === 'archived' ? (machine.archive?.backAt ?? null) : null,
    machine.handover?.at ?? null,
  )
  return earliest(endAttention(machine, policy, now, zone), agreed)
}

/** The same, as far as its end goes. */
function endAttention(machine: Machine, policy: MachinePolicy, now: Instant, zone: string): Instant | null {
  const end = machine.expiresAt
  if (end === null) return null
  const quiet = toldAt(machine) !== null && now >= reckoningOf(machine, end)
  const reminder = quiet ? null : openReminders(machine, end, policy, zone)[0]
  if (resting.includes(machine.state)) {
    return earliest(reminder, deletionAt(machine, end, policy, zone))
  }
  const expireAt = expiryAt(machine, end, policy)
  const stuck = unsettled.includes(machine.state) && expireAt !== null && expireAt <= now
  return earliest(reminder, stuck ? plusMillis(now, unsettledMillis) : expireAt)
}

/** The machine with a row for a reminder whose notice has been saved. A row that exists already is left alone. */
export function addReminder(
  machine: Machine,
  reminder: DueReminder,
  notice: string,
  policy: MachinePolicy,
  now: Instant,
  zone: string,
): Machine {
  const exists = machine.reminders.some((row) => row.end === reminder.end && row.dueAt === reminder.dueAt)
  const row = { end: reminder.end, dueAt: reminder.dueAt, notice, deliveredAt: null }
  const next = exists ? machine : { ...machine, reminders: [...machine.reminders, row] }
  return { ...next, attentionAt: nextAttention(next, policy, now, zone) }
}

/**
 * The machine once a person has really been told. The first delivery counts; later ones change nothing.
 * Being told may bring the next thing forward, so the machine asks to be looked at.
 */
export function markDelivered(machine: Machine, noticeId: string, at: Instant): Machine {
  const isNews = (row: Reminder) => row.notice === noticeId && row.deliveredAt === null
  if (!machine.reminders.some(isNews)) return machine
  return {
    ...machine,
    reminders: machine.reminders.map((row) => (isNews(row) ? { ...row, deliveredAt: at } : row)),
    attentionAt: machine.expiresAt === null ? null : earliest(machine.attentionAt, at),
  }
}

/**
 * Checks an end that somebody asks for; null is never.
 * @throws Refusal `bad_term` naming the longest term, when it is past, too far off, or never where that is not allowed.
 */
export function termAllowed(until: Instant | null, policy: MachinePolicy, now: Instant, zone: string): void {
  const furthest = addDuration(now, policy.maxTerm, zone)
  const limit = `The longest term is ${inWords(policy.maxTerm)}, so until ${local(furthest, zone)}.`
  if (until === null) {
    if (policy.never) return
    throw badTerm(`A machine here needs an end. ${limit}`, furthest)
  }
  if (until <= now) throw badTerm(`${local(until, zone)} has passed. Choose a later end. ${limit}`, furthest)
  if (until > furthest) throw badTerm(`${local(until, zone)} is too far off. ${limit}`, furthest)
}

/** Whether the next extension of a machine is more than its owner may do alone. */
export function needsApproval(machine: Machine, policy: MachinePolicy): boolean {
  return machine.extensions >= policy.extensionsWithoutApproval
}

/**
 * The machine with a later end. Reminders start anew and "let it go" is forgotten; an expired machine comes back as
 * saved, or as stopped when that is how its end found or left it, and can be started.
 * @throws Refusal `bad_term` when the end is not later than the old one or beyond the longest term from now;
 *   `wrong_state` when the machine is on its way out.
 */
export function extend(
  machine: Machine,
  until: Instant,
  policy: MachinePolicy,
  now: Instant,
  zone: string,
): Machine {
  checkVerb(machine, 'extend')
  if (machine.expiresAt === null) {
    throw new Refusal('bad_term', `${machine.id} never expires, so there is nothing to extend.`)
  }
  if (until <= machine.expiresAt) {
    const end = local(machine.expiresAt, zone)
    throw new Refusal('bad_term', `${machine.id} lasts until ${end} already. Choose a later end.`)
  }
  termAllowed(until, policy, now, zone)
  const next = {
    ...wakened(machine, policy, now),
    expiresAt: until,
    extendedAt: now,
    extensions: machine.extensions + 1,
    letGoOf: null,
  }
  return { ...next, attentionAt: nextAttention(next, policy, now, zone) }
}

function wakened(machine: Machine, policy: MachinePolicy, now: Instant): Machine {
  if (machine.state !== 'expired') return machine
  const before = machine.history.findLast((row) => row.state !== 'expired')?.state
  const stopped = policy.atEnd === 'shutdown' || before === 'stopped'
  return move(machineStates, machine, stopped ? 'stopped' : 'saved', { at: now, reason: 'extended' })
}

function badTerm(detail: string, furthest: Instant): Refusal {
  return new Refusal('bad_term', detail, { suggestions: [furthest] })
}

function local(at: Instant, zone: string): string {
  return DateTime.fromISO(at, { zone }).toFormat('yyyy-MM-dd HH:mm')
}

function inWords(duration: Duration): string {
  const seconds = duration.millis / 1000
  const parts: [number, string][] = [
    [duration.months, 'month'],
    [duration.days, 'day'],
    [Math.floor(seconds / 3600), 'hour'],
    [Math.floor((seconds % 3600) / 60), 'minute'],
    [Math.round((seconds % 60) * 1000) / 1000, 'second'],
  ]
  return list(parts.flatMap(([count, noun]) => (count === 0 ? [] : [counted(count, noun)])))
}
