import { z } from 'zod'
import type { MachineStatus, Power } from '../hypervisor.ts'

/** What a machine's notes say that we made. They are all that we keep of it, and it is kept with it. */
const Note = z.object({
  ref: z.string(),
  os: z.enum(['linux', 'windows', 'other']),
  /** How far it is: `made` has all of its parts, `booted` was started once, `ready` was seen to be up. */
  stage: z.enum(['made', 'booted', 'ready']),
  /** The disk that its own lies on top of; null for one that began empty. */
  base: z.string().nullable(),
  /** Whether its guest says when it is up. */
  agent: z.boolean(),
})
export type Note = z.infer<typeof Note>

/** A machine as a host tells of it. */
export const Machine = z.strictObject({
  id: z.guid(),
  name: z.string(),
  notes: z.string(),
  state: z.string(),
  heartbeat: z.string(),
  cpus: z.number(),
  memory: z.number(),
  clustered: z.boolean(),
  addresses: z.array(z.string()),
})
export type Machine = z.infer<typeof Machine>

/** A machine with what is ours about it. */
export interface Found extends Machine {
  host: string
  power: Power
  note: Note | undefined
}

const opening = 'jackdaw '

/** Notes that a machine is found again by. The last line is for whoever reads them in Hyper-V's own console. */
export function notesOf(note: Note): string {
  return `${opening}${JSON.stringify(note)}\nMade by Jackdaw, which finds the machine by the line above.`
}

/** What stands in the notes of the machine of this ref, and of no other. */
export function markOf(ref: string): string {
  return `${opening}{"ref":${JSON.stringify(ref)},`
}

/** The name of a machine that is not whole yet. */
export function makingName(ref: string): string {
  return `jackdaw-making-${ref}`
}

export function foundOn(host: string, machine: Machine): Found {
  return { ...machine, host, power: powerOf(machine.state), note: noteIn(machine.notes) }
}

export function noteIn(notes: string): Note | undefined {
  const line = notes.split(/\r?\n/).find((text) => text.startsWith(opening))
  if (line === undefined) return undefined
  try {
    return Note.safeParse(JSON.parse(line.slice(opening.length))).data
  } catch {
    return undefined
  }
}

/** Machines that we did not make are known by their own id. */
export function refOf({ id, name, note }: Pick<Found, 'id' | 'name' | 'note'>): string {
  const making = /^jackdaw-making-(.+)$/.exec(name)?.[1]
  return note?.ref ?? making ?? id
}

/** `State` of a machine (VMState), as a word. Those on the way to another count as what they still are. */
const powers: Readonly<Record<string, Power>> = {
  Running: 'running',
  Starting: 'running',
  Stopping: 'running',
  Saving: 'running',
  Pausing: 'running',
  Resuming: 'running',
  Reset: 'running',
  Off: 'stopped',
  Saved: 'saved',
  FastSaved: 'saved',
  FastSaving: 'saved',
  Paused: 'paused',
  ForceShutdown: 'running',
  ForceReboot: 'running',
}

/** States with `Critical` behind them are those of a machine whose storage does not answer. */
function powerOf(state: string): Power {
  return powers[state.replace(/Critical$/, '')] ?? 'unknown'
}

/** Whether it is on its way from one state to another, so that nothing can be asked of it. */
export function isOnItsWay(state: string): boolean {
  return /(ing|^Reset|^Force.*)$/.test(state) && !state.startsWith('Running')
}

export function statusOf(machine: Found): MachineStatus {
  const { power } = machine
  const address = power === 'running' ? addressOf(machine.addresses) : null
  const hasRdp = machine.note?.os === 'windows' && address !== null
  return {
    ref: refOf(machine),
    power,
    host: machine.host,
    address,
    rdp: hasRdp ? { host: address, port: 3389 } : null,
    providerState: machine.state,
    name: machine.name,
    size: { cpus: machine.cpus, memoryGb: machine.memory / 2 ** 30 },
  }
}

/** The first address that others can reach it at: none of those a system gives itself (RFC 3927, RFC 4291 §2.5.6). */
export function addressOf(addresses: readonly string[]): string | null {
  const usable = addresses.filter((address) => !/^(169\.254\.|fe80:|127\.|::1$|0\.0\.0\.0)/i.test(address))
  return usable.find((address) => !address.includes(':')) ?? usable[0] ?? null
}
