import { release } from '../../pricing/budget.ts'
import { accountOf } from '../operations/holding.ts'
import { fail, fulfil } from '../requests/request.ts'
import type { Transaction } from '../store/store.ts'
import { changeMachine, deskOf, driverOf, machineOf, withStatus } from './facts.ts'
import type { Job } from './job.ts'
import { redrawCards, tell } from './outbox.ts'
import type { Trade } from './trade.ts'

/** Gives a machine the size that it was promised; its room and its money were taken when that was decided. */
export const resizeMachine: Trade<'resize-machine'> = {
  kind: 'resize-machine',
  deadlineMillis: 10 * 60_000,
  attempts: 3,
  async run(work) {
    const { machine: name, cpus, memoryGb, request } = work.job.input
    const machine = await machineOf(work, name)
    const driver = driverOf(work, machine)
    await work.plan(['changing its size'])
    await work.stage('changing its size', () => driver.resize(machine.ref, { cpus, memoryGb }, work.signal))
    const status = await driver.status(machine.ref, work.signal)
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      await changeMachine(tx, name, (known) => withStatus(known, status, desk.now))
      await conclude(tx, request, (known) => fulfil(known, desk.now))
      const about = { kind: 'machine', id: name } as const
      await tell(desk, {
        kind: 'machine-changed',
        about,
        to: [work.job.by],
        text: `${name} now has ${cpus} CPUs and ${memoryGb} GB.`,
      })
      await redrawCards(desk, `machine:${name}`)
    })
  },
  async failed(tx, job, why, tools) {
    const desk = deskOf(tools, tx)
    const { machine: name, was, request } = job.input
    await changeMachine(tx, name, (known) => ({ ...known, ...was }))
    await giveBack(tx, job)
    await conclude(tx, request, (known) => fail(known, desk.now, why))
    const about = { kind: 'machine', id: name } as const
    await tell(desk, { kind: 'machine-failed', about, to: [job.by], text: `${name} keeps its size: ${why}.` })
    await redrawCards(desk, `machine:${name}`)
  },
}

async function giveBack(tx: Transaction, job: Job<'resize-machine'>): Promise<void> {
  const commitment = await tx.commitments.get(job.input.machine)
  if (commitment === undefined) return
  const milli = Math.min(job.input.heldMilli, commitment.heldMilli)
  await tx.accounts.put(release(await accountOf(tx, commitment.budget), milli))
  await tx.commitments.put({ ...commitment, heldMilli: commitment.heldMilli - milli })
}

async function conclude(
  tx: Transaction,
  id: string | null,
  step: (request: Parameters<typeof fulfil>[0]) => Parameters<typeof fulfil>[0],
): Promise<void> {
  const request = id === null ? undefined : await tx.requests.get(id)
  if (request?.state === 'approved') await tx.requests.put(step(request))
}
