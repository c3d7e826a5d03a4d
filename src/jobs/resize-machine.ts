import { allocate } from '../machines/usage.ts'
import { holdAgain } from '../operations/holding.ts'
import type { Machine, Size } from '../machines/machine.ts'
import { fail, fulfil } from '../requests/request.ts'
import type { Transaction } from '../store/store.ts'
import { changeMachine, deskOf, driverOf, machineOf, withStatus } from './facts.ts'
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
      const resized = await changeMachine(tx, name, (known) =>
        resizedTo(withStatus(known, status, desk.now), { cpus, memoryGb }, desk.now),
      )
      if (resized !== undefined) await holdAgain(desk, resized, 'anyhow')
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
    const { machine: name, was, request, cpus, memoryGb } = job.input
    if (job.stages.some(({ state }) => state === 'done')) {
      // It has its new size: only what was to be asked about it afterwards got no answer.
      const resized = await changeMachine(tx, name, (known) => resizedTo(known, { cpus, memoryGb }, desk.now))
      if (resized !== undefined) await holdAgain(desk, resized, 'anyhow')
      await conclude(tx, request, (known) => fulfil(known, desk.now))
      return redrawCards(desk, `machine:${name}`)
    }
    const restored = await changeMachine(tx, name, (known) => ({ ...known, ...was }))
    if (restored !== undefined) await holdAgain(desk, restored, 'anyhow')
    await conclude(tx, request, (known) => fail(known, desk.now, why))
    const about = { kind: 'machine', id: name } as const
    await tell(desk, { kind: 'machine-failed', about, to: [job.by], text: `${name} keeps its size: ${why}.` })
    await redrawCards(desk, `machine:${name}`)
  },
}

/** From now on it has that size; what it was promised beyond it by now is still to come. */
function resizedTo(machine: Machine, size: Size, at: string): Machine {
  const { cpus, memoryGb } = machine
  return { ...allocate(machine, size, at), cpus, memoryGb }
}

async function conclude(
  tx: Transaction,
  id: string | null,
  step: (request: Parameters<typeof fulfil>[0]) => Parameters<typeof fulfil>[0],
): Promise<void> {
  const request = id === null ? undefined : await tx.requests.get(id)
  if (request?.state === 'approved') await tx.requests.put(step(request))
}
