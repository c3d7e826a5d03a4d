import { nextAttention } from '../machines/expiry.ts'
import { move } from '../base/states.ts'
import { type Machine, machineStates } from '../machines/machine.ts'
import { copyDisk } from './capture-machine.ts'
import { changeMachine, deskOf, driverOf, machineOf, withStatus } from './facts.ts'
import { redrawCards, tell } from './outbox.ts'
import type { Trade, Work } from './trade.ts'

const [halting, copying, removing] = ['shutting down', 'copying the disk', 'leaving its host'] as const

/** Puts a machine away: its disk into the library, and its room back to others. Its end stays as it is. */
export const archiveMachine: Trade<'archive-machine'> = {
  kind: 'archive-machine',
  deadlineMillis: 60 * 60_000,
  attempts: 3,
  async run(work) {
    const { machine: name, image: id } = work.job.input
    const machine = await machineOf(work, name)
    const driver = driverOf(work, machine)
    await work.plan([halting, copying, removing])
    await work.stage(halting, () => halt(work, machine))
    await work.stage(copying, () => copyDisk(work, driver, { ref: machine.ref, id }))
    await work.stage(removing, () => driver.remove(machine.ref, work.signal))
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      await changeMachine(tx, name, (known) => putAway(known, desk))
      await redrawCards(desk, `machine:${name}`)
      const about = { kind: 'machine', id: name } as const
      const text = `${name} is in the library now, and its host is free.`
      await tell(desk, { kind: 'machine-changed', about, to: [work.job.by], text })
    })
  },
  async failed(tx, job, why, tools) {
    const desk = deskOf(tools, tx)
    const { machine: name, image } = job.input
    await tx.images.remove(image)
    await changeMachine(tx, name, (known) => ({ ...known, archive: null }))
    const text = `${name} was not put away: ${why}.`
    await tell(desk, { kind: 'machine-failed', about: { kind: 'machine', id: name }, to: [job.by], text })
    await redrawCards(desk, `machine:${name}`)
  },
}

/** What a saved machine has in memory would be lost: it goes on for as long as it takes to shut down. */
async function halt(work: Work<'archive-machine'>, machine: Machine): Promise<void> {
  const driver = driverOf(work, machine)
  const { power } = await driver.status(machine.ref, work.signal)
  if (power === 'stopped' || power === 'missing') return
  if (power !== 'running') await driver.resume(machine.ref, work.signal)
  await driver.shutdown(machine.ref, work.signal)
  const status = await driver.status(machine.ref, work.signal)
  await work.store.transact((tx) =>
    changeMachine(tx, machine.id, (known) => withStatus(known, status, work.clock.now(), 'to be put away')),
  )
}

function putAway(machine: Machine, { now, site }: ReturnType<typeof deskOf>): Machine {
  if (machine.state === 'archived') return machine
  const away = {
    ...move(machineStates, machine, 'archived', { at: now, reason: 'put into the library' }),
    ...{ host: null, address: null, rdp: null, providerState: null, snapshots: [] },
  }
  return { ...away, attentionAt: nextAttention(away, site.policies.machines, now, site.timezone) }
}
