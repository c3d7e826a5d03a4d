import { plusMillis } from '../base/clock.ts'
import { Refusal } from '../base/errors.ts'
import { nextAttention } from '../machines/expiry.ts'
import type { Machine } from '../machines/machine.ts'
import { beginRestore } from '../operations/restore-machine.ts'
import type { Site } from '../operations/site.ts'
import { type Desk, tell } from './outbox.ts'

/** How long until it is tried again when there was no room, or it went wrong. */
const again = 24 * 60 * 60_000

/** Whether a machine that was put away for a while should come back now. */
export function isBackDue({ state, archive }: Machine, now: string): boolean {
  const backAt = archive?.backAt ?? null
  return state === 'archived' && backAt !== null && backAt <= now
}

/** Brings it back by itself. Where there is no room its people are told, and it is tried again a day later. */
export async function bringBack(desk: Desk & { site: Site }, machine: Machine): Promise<void> {
  try {
    await beginRestore(desk, machine, 'jackdaw')
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    await desk.tx.machines.put(postponed(machine, desk))
    const text = `${machine.id} should have come back from the library today. ${error.message} It is tried again tomorrow.`
    const to = [...(machine.owner === null ? [] : [machine.owner]), ...desk.site.roles.operator]
    await tell(desk, { kind: 'machine-failed', about: { kind: 'machine', id: machine.id }, to, text })
  }
}

/** A machine that did not come back, on no host, with the next try a day off where it was to come by itself. */
export function postponed(machine: Machine, { now, site }: { now: string; site: Site }): Machine {
  const { archive } = machine
  if (archive === undefined || archive === null) return machine
  const backAt = archive.backAt !== null && archive.backAt <= now ? plusMillis(now, again) : archive.backAt
  const waiting = { ...machine, host: null, archive: { ...archive, backAt } }
  return { ...waiting, attentionAt: nextAttention(waiting, site.policies.machines, now, site.timezone) }
}
