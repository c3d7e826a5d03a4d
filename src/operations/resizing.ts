import { quote } from '../../pricing/quote.ts'
import type { Instant } from '../base/clock.ts'
import { refuse } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import { enqueue } from '../jobs/outbox.ts'
import type { Job } from '../jobs/job.ts'
import type { Machine, Size } from '../machines/machine.ts'
import { explainRefusal, place } from '../machines/placement.ts'
import type { ReadTransaction } from '../store/store.ts'
import { recorded } from '../machines/usage.ts'
import { loadOf } from './capacity.ts'
import { holdAgain, openCommitment } from './holding.ts'
import type { Context } from './operation.ts'
import { tariffsOf } from './promising.ts'
import type { Site } from './site.ts'

/** What another size costs more (or, below zero, less) for the days from today that are paid for already. */
export async function priceOfResize(
  { tx, now, site }: { tx: ReadTransaction; now: Instant; site: Site },
  machine: Machine,
  size: Size,
): Promise<number> {
  const commitment = await openCommitment({ tx }, machine)
  if (commitment === undefined) return 0
  const today = localDay(now, site.timezone)
  const { createdDay, freeFrom, paidTo: to } = commitment
  if (today >= to) return 0
  const from = today > createdDay ? today : createdDay
  const tariffs = tariffsOf(site, commitment)
  const price = ({ cpus, memoryGb }: Size): number =>
    quote({ size: { cpus, memoryGb }, count: 1, createdDay, freeFrom, from, to }, tariffs).totalMilli
  return price(size) - price(machine)
}

/** Holds the difference and leaves the work behind. A smaller size gives money back once the machine has it. */
export async function resize(
  context: Pick<Context, 'tx' | 'now' | 'ids' | 'site'>,
  machine: Machine,
  facts: Size & { by: string; request: string | null },
): Promise<Job> {
  const { tx } = context
  const { cpus, memoryGb, by, request } = facts
  await checkRoom(tx, machine, { cpus, memoryGb })
  const was = { cpus: machine.cpus, memoryGb: machine.memoryGb }
  const input = { machine: machine.id, cpus, memoryGb, was, request }
  const job = await enqueue(context, 'resize-machine', input, { subject: `machine:${machine.id}`, by })
  // The room is taken from now on, so that nobody else is given it meanwhile; the job goes back if it cannot be done.
  const promised = { ...recorded(machine), cpus, memoryGb, job: job.id }
  await tx.machines.put(promised)
  await holdAgain(context, promised, 'checked')
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
