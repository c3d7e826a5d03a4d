import { canMove, move } from '../base/states.ts'
import { machineStates } from '../machines/machine.ts'
import { settleMachine } from '../operations/holding.ts'
import { changeMachine, deskOf, driverOf, machineOf } from './facts.ts'
import { redrawCards, tell } from './outbox.ts'
import type { Trade } from './trade.ts'

/** Removes a machine and its disks, closes its books, and tells its owner. What is left of one that failed goes too. */
export const deleteMachine: Trade<'delete-machine'> = {
  kind: 'delete-machine',
  deadlineMillis: 10 * 60_000,
  attempts: 8,
  async run(work) {
    const { machine: name, reason } = work.job.input
    const machine = await machineOf(work, name)
    await work.plan(['removing it'])
    await work.stage('removing it', async () => {
      // One that was taken over is on no hypervisor of ours: it only leaves our books.
      if (machine.hypervisor !== null) await driverOf(work, machine).remove(machine.ref, work.signal)
    })
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      const known = await tx.machines.get(name)
      if (
        known?.ref !== machine.ref ||
        !canMove(machineStates, known.state, 'deleted') ||
        known.state === 'failed'
      )
        return
      await settleMachine(desk, known, 'owed')
      await changeMachine(tx, name, (last) => ({
        ...move(machineStates, last, 'deleted', { at: desk.now, reason }),
        ...{ host: null, address: null, rdp: null, attentionAt: null },
      }))
      const about = { kind: 'machine', id: name } as const
      if (known.owner !== null)
        await tell(desk, { kind: 'machine-deleted', about, to: [known.owner], text: reason })
      await redrawCards(desk, `machine:${name}`)
    })
  },
  async failed(tx, job, why, tools) {
    const desk = deskOf(tools, tx)
    await changeMachine(tx, job.input.machine, (known) =>
      known.state === 'deleting'
        ? move(machineStates, known, 'unreachable', { at: desk.now, reason: why })
        : known,
    )
    const about = { kind: 'machine', id: job.input.machine } as const
    const text = `${job.input.machine} could not be deleted: ${why}.`
    await tell(desk, { kind: 'machine-failed', about, to: [...tools.site.roles.operator], text })
  },
}
