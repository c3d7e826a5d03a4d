import { z } from 'zod'
import type { Instant } from '../base/clock.ts'
import type { Size } from '../machines/machine.ts'
import type { MachineSpec } from './hypervisor.ts'
import { guestIgnored, machineMissing, refused } from './outages.ts'
import { simulatorStages } from './simulator-rule.ts'

/** A machine as the simulator remembers it. */
export const SimulatedMachine = z.object({
  ref: z.string(),
  name: z.string(),
  host: z.string(),
  template: z.string(),
  os: z.enum(['linux', 'windows', 'other']),
  cpus: z.number(),
  memoryGb: z.number(),
  administrators: z.array(z.string()),
  /** The keys that its administrators get in with. */
  keys: z.array(z.string()).default([]),
  mac: z.string().nullable().default(null),
  power: z.enum(['running', 'stopped', 'saved', 'paused']),
  /** How many stages of making it are done. */
  made: z.number(),
  address: z.string().nullable(),
  /** The port it listened on last; asked for again at the next start. */
  rdpPort: z.number().nullable(),
  /** How often its disk was set to the template, making included. */
  generation: z.number(),
  boots: z.number(),
  /** When its power last changed. */
  since: z.string(),
  /** What its disk was made from, and what is on it: where that came from, step by step. */
  origin: z.string().default(''),
  disk: z.string().default(''),
  /** What is on its second disk, if it has one. */
  data: z.string().nullable().default(null),
  isolated: z.boolean().default(false),
  snapshots: z
    .array(
      z.object({
        name: z.string(),
        takenAt: z.string(),
        power: z.enum(['running', 'stopped', 'saved', 'paused']),
        disk: z.string(),
      }),
    )
    .default([]),
})
export type SimulatedMachine = z.infer<typeof SimulatedMachine>

// Every change below gives back the machine it was given when there is nothing to do, and throws what the hypervisor
// would say when it cannot be done.
type Change = (machine: SimulatedMachine, at: Instant) => SimulatedMachine

export function boot(machine: SimulatedMachine, at: Instant): SimulatedMachine {
  return { ...machine, power: 'running', boots: machine.boots + 1, since: at }
}

export function halt(machine: SimulatedMachine, at: Instant): SimulatedMachine {
  return machine.power === 'stopped' ? machine : { ...machine, power: 'stopped', since: at }
}

function wake(machine: SimulatedMachine, at: Instant): SimulatedMachine {
  return { ...machine, power: 'running', since: at }
}

/** What each verb does to a machine. */
export const powerChanges = {
  start(machine, at) {
    if (machine.power === 'running') return machine
    return machine.power === 'stopped' ? boot(machine, at) : wake(machine, at)
  },
  shutdown(machine, at) {
    if (machine.power === 'saved') return machine
    if (machine.power === 'paused') throw guestIgnored(machine.ref)
    return halt(machine, at)
  },
  powerOff: halt,
  reset(machine, at) {
    if (machine.power !== 'running') throw refused(`Machine ${machine.ref} is ${machine.power}, not running.`)
    return boot(machine, at)
  },
  save(machine, at) {
    const holdsMemory = machine.power === 'running' || machine.power === 'paused'
    return holdsMemory ? { ...machine, power: 'saved', since: at } : machine
  },
  resume(machine, at) {
    if (machine.power === 'running') return machine
    if (machine.power === 'stopped')
      throw refused(`Machine ${machine.ref} is stopped, with nothing to resume.`)
    return wake(machine, at)
  },
} satisfies Record<string, Change>
export type PowerVerb = keyof typeof powerChanges

/** No verb of ours pauses a machine, but hypervisors do. */
export function paused(machine: SimulatedMachine, at: Instant): SimulatedMachine {
  return machine.power === 'running' ? { ...machine, power: 'paused', since: at } : machine
}

/** Simulated guests take a new size only by booting: the worst that a caller has to expect. */
export function resized(machine: SimulatedMachine, size: Size, at: Instant): SimulatedMachine {
  if (machine.cpus === size.cpus && machine.memoryGb === size.memoryGb) return machine
  if (machine.power === 'saved' || machine.power === 'paused') {
    throw refused(
      `Machine ${machine.ref} is ${machine.power}, and its size can be changed only without that.`,
    )
  }
  const changed = { ...machine, cpus: size.cpus, memoryGb: size.memoryGb }
  return machine.power === 'running' ? boot(changed, at) : changed
}

export function restored(machine: SimulatedMachine, at: Instant): SimulatedMachine {
  const clean = { disk: usedBy(machine, machine.origin), snapshots: [] }
  return { ...boot(machine, at), ...clean, generation: machine.generation + 1 }
}

/** What is on a disk once this machine has run from it. */
function usedBy({ ref }: SimulatedMachine, origin: string): string {
  return `${origin} > ${ref}`
}

/** Moves it: live when it runs, else as it lies. */
export function moved(machine: SimulatedMachine, host: string): SimulatedMachine {
  return machine.host === host ? machine : { ...machine, host }
}

/** What making a machine needs to be told: the address it gets when its turn for that comes, and what its disks hold. */
export interface MakingFacts {
  at: Instant
  address: string
  origin: string
  data: string | null
}

/** The machine after one more stage of making it. */
export function advanced(
  machine: SimulatedMachine | undefined,
  spec: MachineSpec,
  stage: string,
  facts: MakingFacts,
): SimulatedMachine {
  const index = simulatorStages.findIndex((name) => name === stage)
  if (index === -1) throw refused(`There is no provisioning stage "${stage}".`)
  if (machine === undefined && index > 0) throw machineMissing(spec.ref)
  const before = machine ?? fresh(spec, facts)
  if (before.made > index) return before
  if (before.made < index) throw refused(`Machine ${spec.ref} is not yet ready for "${stage}".`)
  const after = { ...before, made: index + 1 }
  if (stage === 'registering the network') return { ...after, address: facts.address }
  return stage === 'booting' ? { ...boot(after, facts.at), disk: usedBy(after, after.origin) } : after
}

function fresh(spec: MachineSpec, { at, origin, data }: MakingFacts): SimulatedMachine {
  const { ref, name, host, template, os, cpus, memoryGb } = spec
  const disk = { power: 'stopped' as const, made: 0, generation: 1, boots: 0, since: at }
  const network = { mac: spec.mac, address: null, rdpPort: null }
  const administrators = spec.administrators.map(({ user }) => user)
  const keys = spec.administrators.flatMap((one) => one.keys)
  const disks = { origin, disk: origin, data, snapshots: [], isolated: spec.isolated ?? false }
  return {
    ref,
    name,
    host,
    template,
    os,
    cpus,
    memoryGb,
    administrators,
    keys,
    ...disk,
    ...disks,
    ...network,
  }
}

/** A machine that was made by other means than ours. */
export function foreign(facts: { ref: string; name: string; host: string }, at: Instant): SimulatedMachine {
  const size = { cpus: 1, memoryGb: 1, administrators: [], keys: [], mac: null }
  const disk = {
    address: null,
    rdpPort: null,
    generation: 1,
    boots: 1,
    since: at,
    origin: '',
    disk: '',
    data: null,
    isolated: false,
  }
  const made = { power: 'running' as const, made: simulatorStages.length, snapshots: [] }
  return { ...facts, template: '', os: 'other', ...size, ...disk, ...made }
}

/** Whether its making is over. */
export function isMade(machine: SimulatedMachine): boolean {
  return machine.made >= simulatorStages.length
}

/** Whether it takes processors and memory: one that runs, is paused, or is about to run for the first time. */
export function takesRoom(machine: SimulatedMachine): boolean {
  return machine.power === 'running' || machine.power === 'paused' || !isMade(machine)
}

export function hasRdp(machine: SimulatedMachine): boolean {
  return machine.os === 'windows' && machine.power === 'running'
}

/** Its state in the words of a manager of the time (SCVMM 2008 R2). */
export function stateInWords(machine: SimulatedMachine): string {
  if (!isMade(machine)) return `UnderCreation (${simulatorStages[machine.made] ?? ''})`
  const words = { running: 'Running', stopped: 'PowerOff', saved: 'Saved', paused: 'Paused' }
  return words[machine.power]
}
