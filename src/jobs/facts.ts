import { assert, Outage, refuse } from '../base/errors.ts'
import { canMove, move } from '../base/states.ts'
import type { Hypervisor, MachineStatus, Power } from '../hypervisors/hypervisor.ts'
import { type Machine, machineStates, type MachineState } from '../machines/machine.ts'
import type { Transaction } from '../store/store.ts'
import type { Desk } from './outbox.ts'
import type { Tools } from './trade.ts'

/** The machine that a job is about. @throws Refusal when it is gone, which fails the job. */
export async function machineOf({ store }: Pick<Tools, 'store'>, name: string): Promise<Machine> {
  const machine = await store.read((tx) => tx.machines.get(name))
  return machine ?? refuse('not_found', `There is no machine ${name} any more.`)
}

/** The driver of a machine. @throws Outage when the site's file no longer names its hypervisor. */
export function driverOf({ hypervisors }: Pick<Tools, 'hypervisors'>, machine: Machine): Hypervisor {
  const driver = machine.hypervisor === null ? undefined : hypervisors.get(machine.hypervisor)
  if (driver !== undefined) return driver
  throw new Outage(
    'hypervisor_unknown',
    `${machine.id} is on ${machine.hypervisor ?? 'no hypervisor'}, which this site does not steer`,
    {
      transient: false,
    },
  )
}

/** A driver by its name. @throws Outage when the site's file no longer names it. */
export function hypervisorNamed(
  { hypervisors }: Pick<Tools, 'hypervisors'>,
  name: string,
  what: string,
): Hypervisor {
  const driver = hypervisors.get(name)
  if (driver !== undefined) return driver
  const detail = `${what} is on ${name}, which this site does not steer`
  throw new Outage('hypervisor_unknown', detail, { transient: false })
}

/** What is needed to change things from within a job. */
export function deskOf({ clock, ids, site }: Tools, tx: Transaction): Desk & { site: Tools['site'] } {
  return { tx, now: clock.now(), ids, site }
}

/** Changes a machine as it is at the time of the transaction; nothing when it is gone. */
export async function changeMachine(
  tx: Transaction,
  name: string,
  change: (machine: Machine) => Machine,
): Promise<Machine | undefined> {
  const machine = await tx.machines.get(name)
  if (machine === undefined) return undefined
  const next = change(machine)
  await tx.machines.put(next)
  return next
}

/** The machine with what its driver says of it; its state where the table allows the move. */
export function withStatus(machine: Machine, status: MachineStatus, at: string, reason?: string): Machine {
  const { address, rdp, host, providerState } = status
  const seen = {
    ...machine,
    address: address ?? machine.address,
    rdp,
    host: host ?? machine.host,
    providerState,
  }
  const state = stateOf(status.power)
  if (state === null || state === machine.state || !canMove(machineStates, machine.state, state)) return seen
  return move(machineStates, seen, state, { at, ...(reason === undefined ? {} : { reason }) })
}

const powers: Readonly<Record<Power, MachineState | null>> = {
  running: 'running',
  stopped: 'stopped',
  saved: 'saved',
  paused: 'paused',
  missing: null,
  unknown: null,
}

export function stateOf(power: Power): MachineState | null {
  return powers[power]
}

/** The status after a verb, which must be what the verb promised: a driver's word alone is not enough. */
export async function verified(
  driver: Hypervisor,
  machine: Machine,
  power: Power,
  signal: AbortSignal,
): Promise<MachineStatus> {
  const status = await driver.status(machine.ref, signal)
  if (status.power === power) return status
  assert(power !== 'unknown', 'a verb promises a certain state')
  throw new Outage('not_as_promised', `${machine.id} should be ${power} and is ${status.power}`, {
    transient: true,
  })
}
