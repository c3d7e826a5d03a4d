import { assert } from '../base/errors.ts'
import type { Hypervisor, MachineSpec, MachineStatus } from './hypervisor.ts'
import { acting, occasion } from './simulated-calls.ts'
import { keeping } from './simulated-keeping.ts'
import {
  advanced,
  foreign,
  paused,
  powerChanges,
  type PowerVerb,
  resized,
  restored,
  type SimulatedMachine,
} from './simulated-machine.ts'
import { travel } from './simulated-travel.ts'
import { openWorld, type SimulatorOptions, type SimulatorServices, type World } from './simulated-world.ts'
import { type FaultInput, simulatorStages } from './simulator-rule.ts'

/** What tests and demonstrations may do to a simulated farm. */
export interface Faults {
  /** Plans something to go wrong. Faults are met in the order in which they were planned. */
  fault(fault: FaultInput): void
  /** Forgets the faults that have not happened yet. */
  clearFaults(): void
  /** Whether a host responds. Its machines go on either way, and so do their RDP servers. */
  setHost(name: string, facts: { reachable: boolean }): void
  /** Loses a machine, as when somebody deletes it in the provider's own console. */
  vanish(ref: string): Promise<void>
  stopBehindOurBack(ref: string): Promise<void>
  /** Pauses a machine that runs, as hypervisors do when they run out of disk. */
  pauseBehindOurBack(ref: string): Promise<void>
  /** A machine that somebody made in the provider's own console, and runs there. */
  appear(facts: { ref: string; name: string; host: string }): Promise<void>
  /** Moves or resizes a machine in the provider's own console. */
  changeBehindOurBack(
    ref: string,
    facts: Partial<Pick<SimulatedMachine, 'host' | 'cpus' | 'memoryGb'>>,
  ): Promise<void>
  /** The machine as the farm knows it, with its size, `generation` (how often its disk was made) and `boots`. */
  machine(ref: string): SimulatedMachine | undefined
}

/**
 * A farm of hosts that exists only here: for trying Jackdaw out, for demonstrations and for tests. It keeps every
 * promise of the port, takes its time, has limited room, and can be told to fail. Windows machines that run listen
 * on a loopback port as an RDP server would.
 * @throws Outage `hypervisor_unreachable` when its file cannot be read.
 */
export async function simulator(
  options: SimulatorOptions,
  services: SimulatorServices,
): Promise<Hypervisor & Faults> {
  const world = await openWorld(options, services)
  return {
    name: options.name,
    stages: simulatorStages,
    ...queries(world),
    ...making(world),
    ...control(world),
    ...keeping(world),
    ...travel(world),
    ...faultsOf(world),
    changes: (signal) => world.changed.follow(signal),
    close: () => world.close(),
  }
}

function queries(world: World): Pick<Hypervisor, 'inventory' | 'status'> {
  return {
    inventory: (signal) =>
      world.call({ call: 'inventory' }, signal, async () => ({
        hosts: world.farm.hosts(),
        machines: Array.from(world.farm.all(), (machine) => world.status(machine)),
      })),
    status: (ref, signal) =>
      world.call(occasion(world, 'status', ref), signal, async () => {
        const machine = world.farm.get(ref)
        return machine === undefined ? missing(ref) : world.status(machine)
      }),
  }
}

function making(world: World): Pick<Hypervisor, 'provision'> {
  return {
    provision(spec, stage, signal) {
      const { ref, name, host } = spec
      const { image, data } = spec
      const facts = () => ({
        at: world.now(),
        address: world.farm.freeAddress(name),
        origin: image === undefined ? originOf(spec) : world.library.disk(image),
        data: data === undefined ? null : world.library.disk(data),
      })
      return world.call({ call: 'provision', stage, ref, name, host }, signal, async () => {
        world.farm.checkHost(host)
        await world.change(ref, signal, (machine) => advanced(machine, spec, stage, facts()), host)
      })
    },
  }
}

/** What is on the disk of a machine that is made from no image. */
function originOf({ template, blank }: MachineSpec): string {
  return blank === undefined ? template : `an empty disk, from ${blank.disc ?? 'the network'}`
}

function control(world: World): Pick<Hypervisor, PowerVerb | 'resize' | 'restoreClean' | 'remove'> {
  const act = acting(world)
  const power = (verb: PowerVerb) => (ref: string, signal: AbortSignal) =>
    act(verb, ref, signal, (machine) => powerChanges[verb](machine, world.now()))

  return {
    start: power('start'),
    shutdown: power('shutdown'),
    powerOff: power('powerOff'),
    reset: power('reset'),
    save: power('save'),
    resume: power('resume'),
    resize: (ref, size, signal) =>
      act('resize', ref, signal, (machine) => resized(machine, size, world.now())),
    restoreClean: (ref, signal) =>
      act('restoreClean', ref, signal, (machine) => restored(machine, world.now())),
    remove: (ref, signal) =>
      world.call(occasion(world, 'remove', ref), signal, () => world.change(ref, signal, () => undefined)),
  }
}

function faultsOf(world: World): Faults {
  function strike(
    ref: string,
    next: (machine: SimulatedMachine) => SimulatedMachine | undefined,
  ): Promise<void> {
    return world.strike(ref, (machine) => {
      assert(machine !== undefined, `the simulator has no machine ${ref}`)
      return next(machine)
    })
  }

  return {
    fault: (fault) => world.faults.add(fault),
    clearFaults: () => world.faults.clear(),
    setHost: (name, facts) => world.farm.setHost(name, facts),
    vanish: (ref) => strike(ref, () => undefined),
    stopBehindOurBack: (ref) => strike(ref, (machine) => powerChanges.powerOff(machine, world.now())),
    pauseBehindOurBack: (ref) => strike(ref, (machine) => paused(machine, world.now())),
    appear: (facts) => world.strike(facts.ref, () => foreign(facts, world.now())),
    changeBehindOurBack: (ref, facts) => strike(ref, (machine) => ({ ...machine, ...facts })),
    machine: (ref) => world.farm.get(ref),
  }
}

function missing(ref: string): MachineStatus {
  return { ref, power: 'missing', host: null, address: null, rdp: null, providerState: 'NotFound' }
}
