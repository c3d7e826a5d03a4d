import type { Hypervisor, Power } from '../hypervisors/hypervisor.ts'
import { changeMachine, deskOf, driverOf, machineOf, verified, withStatus } from './facts.ts'
import type { ControlVerb } from './job.ts'
import { redrawCards, tell } from './outbox.ts'
import type { Trade } from './trade.ts'

type Act = (driver: Hypervisor, ref: string, signal: AbortSignal) => Promise<void>

/** What each button is for a driver, the words shown meanwhile, and the state that it promises. */
const acts: Readonly<Record<ControlVerb, { says: string; promises: Power; act: Act }>> = {
  start: { says: 'starting', promises: 'running', act: (driver, ref, signal) => driver.start(ref, signal) },
  shutdown: {
    says: 'shutting down',
    promises: 'stopped',
    act: (driver, ref, signal) => driver.shutdown(ref, signal),
  },
  'power-off': {
    says: 'powering off',
    promises: 'stopped',
    act: (driver, ref, signal) => driver.powerOff(ref, signal),
  },
  reset: { says: 'resetting', promises: 'running', act: (driver, ref, signal) => driver.reset(ref, signal) },
  save: { says: 'saving', promises: 'saved', act: (driver, ref, signal) => driver.save(ref, signal) },
  resume: { says: 'resuming', promises: 'running', act: (driver, ref, signal) => driver.resume(ref, signal) },
}

export const controlMachine: Trade<'control-machine'> = {
  kind: 'control-machine',
  deadlineMillis: 10 * 60_000,
  attempts: 3,
  async run(work) {
    const { verb } = work.job.input
    const machine = await machineOf(work, work.job.input.machine)
    const driver = driverOf(work, machine)
    const { says, act, promises } = acts[verb]
    await work.plan([says])
    await work.stage(says, () => act(driver, machine.ref, work.signal))
    const status = await verified(driver, machine, promises, work.signal)
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      await changeMachine(tx, machine.id, (known) =>
        withStatus(known, status, desk.now, `${verb} by ${work.job.by}`),
      )
      await redrawCards(desk, `machine:${machine.id}`)
    })
  },
  async failed(tx, job, why, tools) {
    const desk = deskOf(tools, tx)
    const about = { kind: 'machine', id: job.input.machine } as const
    const text = `${job.input.machine} could not be brought to ${job.input.verb}: ${why}.`
    await tell(desk, { kind: 'machine-failed', about, to: [job.by], text })
    await redrawCards(desk, `machine:${job.input.machine}`)
  },
}
