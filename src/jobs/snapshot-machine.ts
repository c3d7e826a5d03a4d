import type { Hypervisor } from '../hypervisors/hypervisor.ts'
import type { Machine } from '../machines/machine.ts'
import { changeMachine, deskOf, driverOf, machineOf, withStatus } from './facts.ts'
import type { SnapshotDeed } from './job.ts'
import { redrawCards, tell } from './outbox.ts'
import type { Trade } from './trade.ts'

type Act = (driver: Hypervisor, ref: string, snapshot: string, signal: AbortSignal) => Promise<void>

/** What each deed is for a driver, and the words shown meanwhile. */
const deeds: Readonly<Record<SnapshotDeed, { says: string; act: Act }>> = {
  take: { says: 'taking a snapshot', act: (driver, ...about) => driver.snapshot(...about) },
  revert: { says: 'going back', act: (driver, ...about) => driver.revert(...about) },
  forget: { says: 'forgetting a snapshot', act: (driver, ...about) => driver.forget(...about) },
}

export const snapshotMachine: Trade<'snapshot-machine'> = {
  kind: 'snapshot-machine',
  deadlineMillis: 30 * 60_000,
  attempts: 3,
  async run(work) {
    const { machine: name, deed, snapshot } = work.job.input
    const machine = await machineOf(work, name)
    const driver = driverOf(work, machine)
    const { says, act } = deeds[deed]
    await work.plan([says])
    await work.stage(says, () => act(driver, machine.ref, snapshot, work.signal))
    const status = await driver.status(machine.ref, work.signal)
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      const reason = `${deed} ${snapshot} by ${work.job.by}`
      await changeMachine(tx, name, (known) =>
        withStatus(
          after(known, deed, { name: snapshot, takenAt: desk.now, by: work.job.by }),
          status,
          desk.now,
          reason,
        ),
      )
      await redrawCards(desk, `machine:${name}`)
    })
  },
  async failed(tx, job, why, tools) {
    const desk = deskOf(tools, tx)
    const { machine, deed, snapshot } = job.input
    const text = `${machine}: ${deeds[deed].says} (${snapshot}) did not work: ${why}.`
    await tell(desk, { kind: 'machine-failed', about: { kind: 'machine', id: machine }, to: [job.by], text })
    await redrawCards(desk, `machine:${machine}`)
  },
}

/** The machine with its list of snapshots as it is after a deed. Done twice it is the same. */
function after(
  machine: Machine,
  deed: SnapshotDeed,
  snapshot: NonNullable<Machine['snapshots']>[number],
): Machine {
  const { snapshots = [] } = machine
  const others = snapshots.filter(({ name }) => name !== snapshot.name)
  if (deed === 'revert') return machine
  if (deed === 'forget') return { ...machine, snapshots: others }
  return others.length < snapshots.length ? machine : { ...machine, snapshots: [...snapshots, snapshot] }
}
