import { type Commitment, topUp } from '../../pricing/budget.ts'
import { quote } from '../../pricing/quote.ts'
import type { Instant } from '../base/clock.ts'
import { refuse } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import { enqueue } from '../jobs/outbox.ts'
import type { Job } from '../jobs/job.ts'
import type { Machine, Size } from '../machines/machine.ts'
import { explainRefusal, place } from '../machines/placement.ts'
import type { ReadTransaction } from '../store/store.ts'
import { loadOf } from './capacity.ts'
import { holdOn } from './holding.ts'
import type { Context } from './operation.ts'
import type { Site } from './site.ts'

/** What another size costs more (or, below zero, less) for the days from today that are paid for already. */
export async function priceOfResize(
  { tx, now, site }: { tx: ReadTransaction; now: Instant; site: Site },
  machine: Machine,
  size: Size,
): Promise<number> {
  const commitment = await tx.commitments.get(machine.id)
  if (commitment === undefined) return 0
  const today = localDay(now, site.timezone)
  const price = (of: Size): number => remaining(commitment, of, today, site)
  return price(size) - price({ cpus: machine.cpus, memoryGb: machine.memoryGb })
}

function remaining({ createdDay, paidTo }: Commitment, size: Size, today: string, site: Site): number {
  if (today >= paidTo) return 0
  const from = today > createdDay ? today : createdDay
  return quote({ size, count: 1, createdDay, from, to: paidTo }, site.tariffs).totalMilli
}

/**
 * Holds the difference and leaves the work behind. A smaller size gives money back only when the machine ends, since what
 * it cost until now is worked out then.
 */
export async function resize(
  context: Pick<Context, 'tx' | 'now' | 'ids' | 'site'>,
  machine: Machine,
  facts: Size & { by: string; request: string | null },
): Promise<Job> {
  const { tx } = context
  const { cpus, memoryGb, by, request } = facts
  await checkRoom(tx, machine, { cpus, memoryGb })
  const extra = await priceOfResize(context, machine, { cpus, memoryGb })
  const commitment = await tx.commitments.get(machine.id)
  if (commitment !== undefined && extra > 0) {
    await holdOn(context, commitment.budget, extra)
    await tx.commitments.put(topUp(commitment, { heldMilli: extra, paidTo: commitment.paidTo }))
  }
  const was = { cpus: machine.cpus, memoryGb: machine.memoryGb }
  const heldMilli = commitment === undefined ? 0 : Math.max(0, extra)
  const input = { machine: machine.id, cpus, memoryGb, was, heldMilli, request }
  const job = await enqueue(context, 'resize-machine', input, { subject: `machine:${machine.id}`, by })
  // The room is taken from now on, so that nobody else is given it meanwhile; the job goes back if it cannot be done.
  await tx.machines.put({ ...machine, cpus, memoryGb, job: job.id })
  return job
}

/** Whether its host has the room. @throws Refusal `no_capacity` with the reason. */
async function checkRoom(tx: ReadTransaction, machine: Machine, size: Size): Promise<void> {
  const host = machine.host === null ? undefined : await tx.hosts.get(machine.host)
  if (host === undefined) return
  const load = (await loadOf(tx, [host])).get(host.id)
  const without = {
    machines: (load?.machines ?? 0) - 1,
    cpus: (load?.cpus ?? 0) - machine.cpus,
    memoryGb: (load?.memoryGb ?? 0) - machine.memoryGb,
  }
  const outcome = place({ ...size, count: 1, host: host.id }, [host], new Map([[host.id, without]]))
  if ('refused' in outcome) {
    refuse('no_capacity', `${machine.id} cannot grow where it is: ${explainRefusal(outcome.refused)}.`, {
      hosts: outcome.refused,
    })
  }
}
