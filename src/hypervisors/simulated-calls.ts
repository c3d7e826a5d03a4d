import { machineMissing, refused } from './outages.ts'
import { isMade, type SimulatedMachine } from './simulated-machine.ts'
import type { World } from './simulated-world.ts'
import type { Occasion } from './simulator-faults.ts'

/** What a call is about. */
export function occasion({ farm }: World, call: Occasion['call'], ref: string): Occasion {
  const machine = farm.get(ref)
  return { call, ref, name: machine?.name, host: machine?.host }
}

/** @throws Outage for one that is not there, or not all of it. */
export function whole(machine: SimulatedMachine | undefined, ref: string): SimulatedMachine {
  if (machine === undefined) throw machineMissing(ref)
  if (!isMade(machine)) throw refused(`Machine ${ref} is still being made.`, { transient: true })
  return machine
}

/** One call that changes a machine, which has to be there and whole. */
export function acting(world: World) {
  return (
    verb: Occasion['call'],
    ref: string,
    signal: AbortSignal,
    next: (machine: SimulatedMachine) => SimulatedMachine,
  ): Promise<void> => {
    const change = () => world.change(ref, signal, (machine) => next(whole(machine, ref)))
    return world.call(occasion(world, verb, ref), signal, change)
  }
}
