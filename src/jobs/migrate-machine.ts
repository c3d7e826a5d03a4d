import { Outage } from '../base/errors.ts'
import { canMove, move } from '../base/states.ts'
import { type Machine, machineStates } from '../machines/machine.ts'
import { changeMachine, deskOf, driverOf, machineOf, withStatus } from './facts.ts'
import { redrawCards, tell } from './outbox.ts'
import type { Trade } from './trade.ts'

/** Moves a machine to another host, and says which of the ways it was. What cannot be moved stays where it was. */
export const migrateMachine: Trade<'migrate-machine'> = {
  kind: 'migrate-machine',
  deadlineMillis: 60 * 60_000,
  attempts: 3,
  async run(work) {
    const { machine: name, to } = work.job.input
    const machine = await machineOf(work, name)
    const driver = driverOf(work, machine)
    await work.plan(['checking the way', 'moving'])
    await work.stage('checking the way', async () => {
      const passage = await driver.passage(machine.ref, to, work.signal)
      if (passage.how === 'none') throw new Outage('no_way', passage.why, { transient: false })
    })
    await work.stage('moving', () => driver.migrate(machine.ref, to, work.signal))
    const status = await driver.status(machine.ref, work.signal)
    if (status.host !== to) {
      const detail = `${name} should be on ${to} and is on ${status.host ?? 'no host'}`
      throw new Outage('not_as_promised', detail, { transient: true })
    }
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      await changeMachine(tx, name, (known) => withStatus(known, status, desk.now, `moved to ${to}`))
      await redrawCards(desk, `machine:${name}`)
    })
  },
  async failed(tx, job, why, tools) {
    const desk = deskOf(tools, tx)
    const { machine: name, from, to, was } = job.input
    await changeMachine(tx, name, (known) => stayed(known, { from, was, at: desk.now, why }))
    const text = `${name} stays on ${from}, it could not be moved to ${to}: ${why}.`
    await tell(desk, { kind: 'machine-failed', about: { kind: 'machine', id: name }, to: [job.by], text })
    await redrawCards(desk, `machine:${name}`)
  },
}

function stayed(
  machine: Machine,
  { from, was, at, why }: { from: string; was: Machine['state']; at: string; why: string },
): Machine {
  if (machine.state !== 'migrating' || !canMove(machineStates, 'migrating', was)) return machine
  return { ...move(machineStates, machine, was, { at, reason: why }), host: from }
}
