import type { Instant } from '../base/clock.ts'
import { refuse } from '../base/errors.ts'
import { move } from '../base/states.ts'
import type { Desktop } from '../../broker/desktop.ts'
import { type Lease, waitForAnother } from '../../broker/lease.ts'
import { termsOf } from '../../broker/lease-terms.ts'
import { type Machine, machineStates } from '../machines/machine.ts'
import { desktopTo, finishLease, giveOut, lendTo, type PoolDesk, poolNamed } from '../operations/desktops.ts'
import { pauseRefill } from '../operations/refilling.ts'
import type { Transaction } from '../store/store.ts'
import { recordDeletion } from './delete-machine.ts'
import { changeMachine, deskOf, driverOf, machineOf, verified, withStatus } from './facts.ts'
import { tell } from './outbox.ts'
import { build, failMachine } from './provision-machine.ts'
import type { Tools, Trade, Work } from './trade.ts'

/** Makes one more desktop for a pool and gives it to whoever waits. */
export const makeDesktop: Trade<'make-desktop'> = {
  kind: 'make-desktop',
  deadlineMillis: 30 * 60_000,
  attempts: 3,
  async run(work) {
    const machine = await machineOf(work, work.job.input.desktop)
    // An earlier run has made it and could not say so.
    if (machine.state !== 'provisioning') return
    await build(work, machine)
    await becomeReady(work)
  },
  async failed(tx, job, why, tools) {
    const desk = deskOf(tools, tx)
    const desktop = await tx.desktops.get(job.input.desktop)
    const failed = await failMachine(tx, desk, job.input.desktop, why)
    if (failed === undefined || desktop === undefined) return
    await tx.desktops.remove(desktop.id)
    await pauseRefill(desk, desktop.pool)
    if ((await tx.desktops.count('coming', desktop.pool)) === 0) {
      for (const lease of await tx.leases.find('waiting', desktop.pool))
        await finishLease(desk, lease, 'failed')
    }
    await tellOperators(
      tx,
      tools,
      desktop.id,
      `A desktop for pool ${desktop.pool} could not be made: ${why}.`,
    )
  },
}

/** Wakes a person's own desktop, for the lease that waits for it. */
export const wakeDesktop: Trade<'wake-desktop'> = {
  kind: 'wake-desktop',
  deadlineMillis: 10 * 60_000,
  attempts: 3,
  async run(work) {
    const machine = await machineOf(work, work.job.input.desktop)
    await work.plan(['waking it'])
    await work.stage('waking it', () => driverOf(work, machine).start(machine.ref, work.signal))
    await becomeReady(work)
  },
  async failed(tx, job, why, tools) {
    await quarantine(tx, tools, job.input.desktop, why, ({ state }) => state === 'waking')
  },
}

/** Cleans a shared desktop after a session. Only a verified reset makes it spare: else it is set aside. */
export const resetDesktop: Trade<'reset-desktop'> = {
  kind: 'reset-desktop',
  deadlineMillis: 10 * 60_000,
  attempts: 3,
  async run(work) {
    const machine = await machineOf(work, work.job.input.desktop)
    await work.plan(['closing connections', 'restoring the clean image'])
    await closing(work, 'closing connections')
    await work.stage('restoring the clean image', () =>
      driverOf(work, machine).restoreClean(machine.ref, work.signal),
    )
    await becomeReady(work)
  },
  async failed(tx, job, why, tools) {
    await quarantine(tx, tools, job.input.desktop, why, ({ state }) => state === 'resetting')
  },
}

/** Saves a spare desktop that is more than its pool keeps running. */
export const storeDesktop: Trade<'store-desktop'> = {
  kind: 'store-desktop',
  deadlineMillis: 10 * 60_000,
  attempts: 3,
  async run(work) {
    const machine = await machineOf(work, work.job.input.desktop)
    const driver = driverOf(work, machine)
    await work.plan(['saving it'])
    await work.stage('saving it', () => driver.save(machine.ref, work.signal))
    const status = await verified(driver, machine, 'saved', work.signal)
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      await changeMachine(tx, machine.id, (known) => withStatus(known, status, desk.now))
      const desktop = await tx.desktops.get(machine.id)
      if (desktop?.state === 'storing') await tx.desktops.put(desktopTo(desktop, 'stored', desk))
    })
  },
  async failed(tx, job, why, tools) {
    await quarantine(tx, tools, job.input.desktop, why, ({ state }) => state === 'storing')
  },
}

/** Removes a desktop of an old version. Its pool lacks one then, and makes it from what the template is now. */
export const retireDesktop: Trade<'retire-desktop'> = {
  kind: 'retire-desktop',
  deadlineMillis: 10 * 60_000,
  attempts: 3,
  async run(work) {
    const machine = await machineOf(work, work.job.input.desktop)
    await work.plan(['closing connections', 'removing it'])
    await closing(work, 'closing connections')
    await work.stage('removing it', () => driverOf(work, machine).remove(machine.ref, work.signal))
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      const known = await tx.machines.get(machine.id)
      if (known !== undefined && known.state !== 'deleted') {
        await recordDeletion(desk, beingDeleted(known, desk.now), letGo)
      }
      await tx.desktops.remove(machine.id)
    })
  },
  async failed(tx, job, why, tools) {
    await quarantine(tx, tools, job.input.desktop, why, ({ state }) => state === 'retiring')
  },
}

const letGo = 'its pool let go of it'

function beingDeleted(machine: Machine, at: Instant): Machine {
  if (machine.state === 'deleting') return machine
  return move(machineStates, machine, 'deleting', { at, reason: letGo })
}

/** Puts a person's own desktop to rest after a session: saved where the pool says so, else left as it is. */
export const restDesktop: Trade<'rest-desktop'> = {
  kind: 'rest-desktop',
  deadlineMillis: 10 * 60_000,
  attempts: 3,
  async run(work) {
    const machine = await machineOf(work, work.job.input.desktop)
    const desktop = await desktopOf(work)
    const driver = driverOf(work, machine)
    const saves = poolNamed(work.site, desktop.pool).lease.atEnd === 'save'
    await work.plan(['closing connections', ...(saves ? ['saving it'] : [])])
    await closing(work, 'closing connections')
    if (saves) await work.stage('saving it', () => driver.save(machine.ref, work.signal))
    const status = await driver.status(machine.ref, work.signal)
    await work.store.transact(async (tx) => {
      const desk = deskOf(work, tx)
      const known = await tx.desktops.get(desktop.id)
      await changeMachine(tx, machine.id, (last) => withStatus(last, status, desk.now))
      if (known?.state === 'leased' && known.lease === null)
        await tx.desktops.put(desktopTo(known, 'idle', desk))
    })
  },
  async failed(tx, job, why, tools) {
    await quarantine(
      tx,
      tools,
      job.input.desktop,
      why,
      ({ state, lease }) => state === 'leased' && lease === null,
    )
  },
}

async function desktopOf({ store, job }: Work<'rest-desktop'>): Promise<Desktop> {
  const desktop = await store.read((tx) => tx.desktops.get(job.input.desktop))
  return desktop ?? refuse('not_found', `There is no desktop ${job.input.desktop} any more.`)
}

/** The token died with the transaction that ended the lease; now the sockets go, before the desktop is touched. */
async function closing(
  work: Work<'reset-desktop' | 'rest-desktop' | 'retire-desktop'>,
  stage: string,
): Promise<void> {
  const { lease } = work.job.input
  await work.stage(stage, async () => {
    if (lease !== null) await work.closeConnections(lease, 'lease_ended')
  })
}

/** The driver has done its part: once it is seen to run and to listen, the desktop goes to its person or to the pool. */
async function becomeReady(work: Work<'make-desktop' | 'wake-desktop' | 'reset-desktop'>): Promise<void> {
  const machine = await machineOf(work, work.job.input.desktop)
  const status = await verified(driverOf(work, machine), machine, 'running', work.signal)
  await work.store.transact(async (tx) => {
    const desk = deskOf(work, tx)
    await changeMachine(tx, machine.id, (known) => withStatus(known, status, desk.now))
    const desktop = await tx.desktops.get(machine.id)
    if (desktop === undefined) return
    const lease = desktop.lease === null ? undefined : await tx.leases.get(desktop.lease)
    if (lease?.state === 'preparing') {
      await lendTo(desk, poolNamed(work.site, desktop.pool), desktop, lease)
    } else if (desktop.person === null && ['making', 'resetting', 'waking'].includes(desktop.state)) {
      await giveOut(desk, desktop)
    } else if (desktop.state === 'waking') {
      // Nobody waits for it any more.
      await tx.desktops.put({ ...desktopTo(desktop, 'idle', desk), lease: null })
    }
  })
}

/**
 * Sets a desktop aside for an operator to look at; whoever waits for it is told. One that is no longer in the state that
 * the job was to lead out of is left alone: an earlier run has done its part and could not say so.
 */
async function quarantine(
  tx: Transaction,
  tools: Tools,
  name: string,
  why: string,
  isStill: (desktop: Desktop) => boolean,
): Promise<void> {
  const desk = deskOf(tools, tx)
  const desktop = await tx.desktops.get(name)
  if (desktop === undefined || !isStill(desktop)) return
  const lease = desktop.lease === null ? undefined : await tx.leases.get(desktop.lease)
  await tx.desktops.put({ ...desktopTo(desktop, 'quarantined', desk, why), lease: null })
  if (lease !== undefined) await helpOn(desk, desktop, lease)
  await tellOperators(tx, tools, name, `Desktop ${name} is set aside: ${why}.`)
}

/** Whoever waits for any desktop of the pool waits for the next one; whoever waits for their own is told. */
async function helpOn(desk: PoolDesk, { person, pool }: Desktop, lease: Lease): Promise<void> {
  if (person !== null || lease.state !== 'preparing') {
    await finishLease(desk, lease, 'failed')
    return
  }
  await desk.tx.leases.put(waitForAnother(lease, termsOf(poolNamed(desk.site, pool), desk.site.timezone)))
}

async function tellOperators(tx: Transaction, tools: Tools, machine: string, text: string): Promise<void> {
  const about = { kind: 'machine', id: machine } as const
  await tell(deskOf(tools, tx), { kind: 'machine-failed', about, to: [...tools.site.roles.operator], text })
}
