import type { Instant } from '../base/clock.ts'
import { refused } from './outages.ts'
import { boot, halt, type SimulatedMachine } from './simulated-machine.ts'

// As the changes of power: the machine itself when there is nothing to do.

/** Keeps what it is now. */
export function snapshotTaken(machine: SimulatedMachine, name: string, at: Instant): SimulatedMachine {
  if (machine.snapshots.some((known) => known.name === name)) return machine
  const { power, disk } = machine
  return { ...machine, snapshots: [...machine.snapshots, { name, takenAt: at, power, disk }] }
}

/** Goes back to what it was: running from where it was then, or stopped. */
export function revertedTo(machine: SimulatedMachine, name: string, at: Instant): SimulatedMachine {
  const snapshot = machine.snapshots.find((known) => known.name === name)
  if (snapshot === undefined) throw refused(`Machine ${machine.ref} has no snapshot ${name}.`)
  const back = { ...machine, disk: snapshot.disk }
  return snapshot.power === 'running' ? boot(back, at) : { ...halt(back, at), power: snapshot.power }
}

export function snapshotForgotten(machine: SimulatedMachine, name: string): SimulatedMachine {
  const snapshots = machine.snapshots.filter((known) => known.name !== name)
  return snapshots.length === machine.snapshots.length ? machine : { ...machine, snapshots }
}
