import type { Instant } from '../base/clock.ts'
import { canMove, move } from '../base/states.ts'
import { counted } from '../base/text.ts'
import type { MachineStatus } from '../hypervisors/hypervisor.ts'
import { isUnclaimed } from '../machines/found.ts'
import { isAlive, type Machine, machineStates, type MachineState, type Size } from '../machines/machine.ts'
import { goneFromHost, isSilent, loseDesktop, setAsideUnheld, takeBack } from '../operations/losing.ts'
import type { ReadTransaction, Transaction } from '../store/store.ts'
import { deskOf, withStatus } from './facts.ts'
import { enqueue, redrawCards, tell } from './outbox.ts'
import { announceAddress, isElsewhere } from './register-machine.ts'
import type { Tools } from './trade.ts'

/** What was seen of a machine, and when it was asked for. */
export interface Sight {
  /** Nothing where its hypervisor answered and has no such machine. */
  status: MachineStatus | undefined
  /** Why it could not be asked about, where that is so: its host or its hypervisor is silent. */
  silent: string | null
  since: Instant
}

type Desk = ReturnType<typeof deskOf>

/** Whether what was seen of a machine is news. Asks for nothing but the machine, since it is asked of all of them. */
export function isNews(machine: Machine, sight: Sight, now: Instant): boolean {
  if (!isAlive(machine) || busyStates.includes(machine.state)) return false
  if (isStale(machine, sight)) return false
  if (sight.status === undefined && sight.silent === null && isHalfDeleted(machine)) return true
  const next = nextFor(machine, sight, now)
  return isElsewhere(next) || !isUnchanged(next, machine)
}

/** Whether a look would write down what is written already. Only what a look can change is compared: it is done often. */
function isUnchanged(next: Machine, machine: Machine): boolean {
  return (
    next.history.length === machine.history.length &&
    next.state === machine.state &&
    next.host === machine.host &&
    next.address === machine.address &&
    next.providerState === machine.providerState &&
    next.rdp?.host === machine.rdp?.host &&
    next.rdp?.port === machine.rdp?.port &&
    next.sizeSeen?.cpus === machine.sizeSeen?.cpus &&
    next.sizeSeen?.memoryGb === machine.sizeSeen?.memoryGb
  )
}

/** In these, somebody of ours is at work on it, or it is at rest. */
const busyStates: readonly MachineState[] = ['provisioning', 'deleting', 'expired', 'migrating']

/** What we did since it was asked for is newer than the answer. */
function isStale({ history }: Machine, { since }: Sight): boolean {
  const last = history.at(-1)
  return last !== undefined && last.at > since
}

/**
 * Puts what was seen of a machine into the books. One that does not answer is unreachable, never taken for deleted; what
 * was changed behind our back is told, never reverted.
 */
export async function recordMachine(
  tx: Transaction,
  tools: Tools,
  machine: Machine,
  sight: Sight,
): Promise<void> {
  const desk = deskOf(tools, tx)
  if (!isNews(machine, sight, desk.now) || (await isInHand(tx, machine, sight))) return
  const isGone = sight.status === undefined && sight.silent === null
  if (isGone && isHalfDeleted(machine)) return deleteAgain(desk, machine)
  if (isGone && isUnclaimed(machine)) return forget(desk, machine)
  const next = nextFor(machine, sight, desk.now)
  if (!isUnchanged(next, machine)) {
    await tx.machines.put(next)
    await redrawCards(desk, `machine:${machine.id}`)
    await report(desk, machine, next, isGone)
  }
  await announceAddress(desk, next)
  if (machine.pool !== null) await recordDesktop(desk, machine, sight)
}

/** Whether a job of ours is at work on it, or was when it was asked for. */
async function isInHand(tx: ReadTransaction, { id, job }: Machine, { since }: Sight): Promise<boolean> {
  if ((await tx.jobs.count('subject', `machine:${id}`)) > 0) return true
  const last = job === null ? undefined : await tx.jobs.get(job)
  return (last?.endedAt ?? '') > since
}

function nextFor(machine: Machine, { status, silent }: Sight, at: Instant): Machine {
  if (status !== undefined && silent === null) return seenAt(machine, status, at)
  const reason = silent ?? goneFromHost
  if (!canMove(machineStates, machine.state, 'unreachable')) return machine
  // What did not answer is known to be gone, once its host is there again without it.
  const isNewlyGone = silent === null && isSilent(machine.history.at(-1)?.reason)
  if (machine.state === 'unreachable' && !isNewlyGone) return machine
  return { ...move(machineStates, machine, 'unreachable', { at, reason }), rdp: null }
}

function seenAt(machine: Machine, status: MachineStatus, at: Instant): Machine {
  const { sizeSeen: _, ...rest } = withStatus(machine, status, at, 'seen at its host')
  const size = status.size === undefined || isSame(status.size, machine) ? undefined : status.size
  const next: Machine = size === undefined ? rest : { ...rest, sizeSeen: size }
  const reasons = [
    machine.host === null || next.host === machine.host
      ? ''
      : `moved from ${machine.host} to ${next.host ?? 'no host'}, seen there`,
    size === undefined || isSame(size, machine.sizeSeen ?? machine)
      ? ''
      : `has ${sizeWords(size)} at its host`,
  ].filter((reason) => reason !== '')
  return {
    ...next,
    history: [...next.history, ...reasons.map((reason) => ({ state: next.state, at, reason }))],
  }
}

function sizeWords({ cpus, memoryGb }: Size): string {
  return `${counted(cpus, 'CPU')} and ${Math.round(memoryGb * 100) / 100} GB`
}

// A hypervisor counts in bytes or MB, and may round.
function isSame(a: Size, b: Size): boolean {
  return a.cpus === b.cpus && Math.abs(a.memoryGb - b.memoryGb) < 0.02
}

/** Tells whoever answers for it what has become of a machine without their asking. */
async function report(desk: Desk, before: Machine, after: Machine, isGone: boolean): Promise<void> {
  if (before.pool !== null || isUnclaimed(before)) return
  const operators = desk.site.roles.operator
  const to = before.owner === null ? [...operators] : [before.owner]
  const about = { kind: 'machine', id: before.id } as const
  if (isGone) {
    const host = before.host ?? 'its host'
    const text = `${before.id} is not on ${host} any more, and nobody here has deleted it. It is kept in the books as unreachable.`
    await tell(desk, { kind: 'machine-failed', about, to: [...new Set([...to, ...operators])], text })
    return
  }
  const text = changesOf(before, after)
  if (text !== '') await tell(desk, { kind: 'machine-changed', about, to, text })
}

function changesOf(before: Machine, after: Machine): string {
  const { id } = before
  const was = lastKnown(before)
  const facts: string[] = []
  if (after.state !== was && after.state !== 'unreachable') facts.push(`was ${was} and is ${after.state}`)
  if (before.host !== null && after.host !== before.host)
    facts.push(`was moved from ${before.host} to ${after.host ?? 'no host'}`)
  const [old, size] = [before.sizeSeen ?? before, after.sizeSeen ?? after]
  if (!isSame(old, size)) facts.push(`was resized to ${sizeWords(size)}`)
  if (facts.length === 0) return ''
  return `${id} ${facts.join(', ')}. Nobody asked Jackdaw for that, and it is left as it is.`
}

/** The state that it was in when it was last heard of. */
function lastKnown({ state, history }: Machine): MachineState {
  return history.findLast((row) => row.state !== 'unreachable')?.state ?? state
}

/** Whether its deletion was given up, perhaps with the machine gone and the answer lost. */
function isHalfDeleted(machine: Machine): boolean {
  return machine.state === 'unreachable' && lastKnown(machine) === 'deleting'
}

/** Its host has it no more, so that the deletion only has to be put into the books. */
async function deleteAgain(desk: Desk, machine: Machine): Promise<void> {
  const reason = machine.history.findLast((row) => row.state === 'deleting')?.reason ?? 'it was being deleted'
  const facts = { subject: `machine:${machine.id}`, by: 'jackdaw' }
  const job = await enqueue(desk, 'delete-machine', { machine: machine.id, reason }, facts)
  const deleting = move(machineStates, machine, 'deleting', { at: desk.now, reason })
  await desk.tx.machines.put({ ...deleting, job: job.id, attentionAt: null })
}

/** One that was found and that nobody has claimed is nobody's loss when it is gone. */
async function forget({ tx, now }: Desk, machine: Machine): Promise<void> {
  const why = { at: now, reason: goneFromHost }
  const gone = move(machineStates, move(machineStates, machine, 'deleting', why), 'deleted', why)
  await tx.machines.put({ ...gone, host: null, address: null, rdp: null, attentionAt: null })
}

/** What becomes of a desktop whose machine is not where it was, or is there again. */
async function recordDesktop(desk: Desk, before: Machine, { status, silent }: Sight): Promise<void> {
  const desktop = await desk.tx.desktops.get(before.id)
  if (desktop === undefined) return
  if (status === undefined && silent === null)
    await loseDesktop(desk, desktop, goneFromHost, { isGone: true })
  else if (silent !== null) await setAsideUnheld(desk, desktop, silent)
  else if (before.state === 'unreachable') await takeBack(desk, desktop)
}
