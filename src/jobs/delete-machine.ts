import { canMove, move } from '../base/states.ts'
import { nextAttention } from '../machines/expiry.ts'
import { type Machine, machineStates } from '../machines/machine.ts'
import { settleMachine } from '../operations/holding.ts'
import { dropImage } from '../operations/images.ts'
import { changeMachine, deskOf, driverOf, machineOf } from './facts.ts'
import { redrawCards, tell } from './outbox.ts'
import { deregisterMachine } from './register-machine.ts'
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
      if (known?.ref !== machine.ref) return // The name is somebody else's by now.
      if (known.state === 'failed') {
        await deregisterMachine(desk, known)
        return tx.machines.put({ ...unregistered(known), ...nowhere })
      }
      if (canMove(machineStates, known.state, 'deleted')) await recordDeletion(desk, known, reason)
    })
  },
  async failed(tx, job, why, tools) {
    const desk = deskOf(tools, tx)
    const { machines: policy } = tools.site.policies
    await changeMachine(tx, job.input.machine, (known) => {
      if (known.state !== 'deleting') return known
      const left = move(machineStates, known, 'unreachable', { at: desk.now, reason: why })
      // It goes on to its end, or past it until it can be deleted after all.
      return { ...left, attentionAt: nextAttention(left, policy, desk.now, tools.site.timezone) }
    })
    const about = { kind: 'machine', id: job.input.machine } as const
    const text = `${job.input.machine} could not be deleted: ${why}.`
    await tell(desk, { kind: 'machine-failed', about, to: [...tools.site.roles.operator], text })
  },
}

const nowhere = { host: null, address: null, rdp: null, attentionAt: null }

function unregistered({ registered: _, ...machine }: Machine): Machine {
  return machine
}

/** Closes the books of a machine that is gone from its host: what is owed, its image, its name on the network. */
export async function recordDeletion(
  desk: ReturnType<typeof deskOf>,
  machine: Machine,
  reason: string,
): Promise<void> {
  const { tx, now } = desk
  await settleMachine(desk, machine, 'owed')
  if (machine.archive !== undefined && machine.archive !== null)
    await dropImage(desk, machine.archive.image, 'jackdaw')
  await deregisterMachine(desk, machine)
  const deleted = move(machineStates, unregistered(machine), 'deleted', { at: now, reason })
  await tx.machines.put({ ...deleted, ...nowhere })
  const about = { kind: 'machine', id: machine.id } as const
  if (machine.owner !== null)
    await tell(desk, { kind: 'machine-deleted', about, to: [machine.owner], text: reason })
  await redrawCards(desk, `machine:${machine.id}`)
}
