import { z } from 'zod'
import type { Instant } from '../base/clock.ts'
import { type Move, states } from '../base/states.ts'
import type { Blank } from './blank.ts'
import type { Allocation } from './usage.ts'

export type MachineState =
  | 'provisioning'
  | 'running'
  | 'stopped'
  | 'saved'
  | 'paused'
  | 'migrating'
  | 'archived'
  | 'expired'
  | 'deleting'
  | 'deleted'
  | 'unreachable'
  | 'failed'

const anywhereAlive: readonly MachineState[] = [
  'running',
  'stopped',
  'saved',
  'paused',
  'unreachable',
  'expired',
  'deleting',
]

export const machineStates = states<MachineState>('Machine', {
  provisioning: ['running', 'stopped', 'failed', 'deleting'],
  running: [...anywhereAlive, 'migrating', 'archived'],
  stopped: [...anywhereAlive, 'migrating', 'archived'],
  saved: [...anywhereAlive, 'migrating', 'archived'],
  paused: anywhereAlive,
  migrating: ['running', 'saved', 'stopped', 'unreachable', 'deleting'],
  archived: ['running', 'stopped', 'deleting'],
  expired: anywhereAlive,
  deleting: ['deleted', 'unreachable'],
  deleted: [],
  unreachable: [...anywhereAlive, 'migrating', 'archived', 'failed'],
  failed: ['deleting', 'deleted'],
})

export const MachineName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'a host name: lower-case letters, digits and inner dashes (RFC 1123)',
  )

export interface Size {
  cpus: number
  memoryGb: number
}

/** A reminder that was due before a certain end. `deliveredAt` stays empty until a person has really been told. */
export interface Reminder {
  /** The end it was about, so that a moved end starts anew. */
  end: Instant
  dueAt: Instant
  notice: string
  deliveredAt: Instant | null
}

/** A change of owner or budget that counts from a later day on. */
export interface Handover {
  at: Instant
  owner: string
  budget: string
  by: string
}

/** A state of a machine that was kept. */
export interface Snapshot {
  name: string
  takenAt: Instant
  by: string
}

/** Any virtual machine: somebody's server, or a desktop behind a pool. `id` is its name. */
export interface Machine extends Size {
  id: string
  /** The driver's handle: never reused, though the name may be. */
  ref: string
  state: MachineState
  history: Move<MachineState>[]
  template: string
  os: 'linux' | 'windows' | 'other'
  description: string
  purpose: string
  /** Nobody when it is an orphan. */
  owner: string | null
  /** Users and groups who may do what the owner may. Groups are resolved each time. */
  administrators: string[]
  hypervisor: string | null
  host: string | null
  /** Where to connect: a host name or IP address, once known. */
  address: string | null
  /** Where its RDP server listens, once known. */
  rdp: { host: string; port: number } | null
  budget: string | null
  request: string | null
  /** Set when it is a desktop behind a pool. */
  pool: string | null
  createdAt: Instant
  /** What it was promised and who answered for it, in order; absent while nothing of it has changed. */
  usage?: Allocation[]
  /** Null is never. */
  expiresAt: Instant | null
  extensions: number
  /** When its end was last moved; absent when it never was. Its present term counts from here. */
  extendedAt?: Instant
  reminders: Reminder[]
  /** "Let it go" was pressed for this end: no more reminders about it. */
  letGoOf: Instant | null
  /** No reminder about this end before that. Absent while nobody asked for it. */
  snoozed?: { end: Instant; until: Instant }
  /** The next instant at which something is due about it (a reminder, its end, the end of its grace). */
  attentionAt: Instant | null
  /** The job in hand, whose stages are the progress. */
  job: string | null
  /** The image of the library that its disk was made from; absent where that was its template's. */
  image?: string
  /** The image that it has a copy of as a second disk. */
  data?: string
  /** Set where its disk was empty when it was made, and what it was filled from. */
  blank?: Blank
  /** Set where it is on a network of its own. */
  isolated?: boolean
  /** Set while it is put away: the image that holds it, and when it is brought back; null is on demand. */
  archive?: { image: string; backAt: Instant | null } | null
  /** Agreed and still to come: who has it and which budget pays it from that instant on. */
  handover?: Handover | null
  /** States that can be gone back to, oldest first; absent while there are none. */
  snapshots?: Snapshot[]
  /** Set once the site's network was told of it: the address that it knows, and the one that it was last asked to know. */
  registered?: { address: string | null; asked: string | null }
  /** The size that it has at its host, where that is not what was agreed on. */
  sizeSeen?: Size
  /** What a system that it was taken over from, or the driver, says of it in its own words. */
  providerState: string | null
}

/** States in which a machine takes up room on its host and answers to operations. */
export function isAlive(machine: Machine): boolean {
  return !['deleted', 'failed', 'archived'].includes(machine.state)
}

/** A machine that is about to be made, with everything unsaid still empty. */
export function newMachine(facts: {
  name: string
  ref: string
  at: Instant
  template: { name: string; os: Machine['os'] }
}): Machine {
  const { name, ref, at, template } = facts
  return {
    id: name,
    ref,
    state: 'provisioning',
    history: [{ state: 'provisioning', at }],
    template: template.name,
    os: template.os,
    description: '',
    purpose: '',
    owner: null,
    administrators: [],
    cpus: 1,
    memoryGb: 1,
    hypervisor: null,
    host: null,
    address: null,
    rdp: null,
    budget: null,
    request: null,
    pool: null,
    createdAt: at,
    expiresAt: null,
    extensions: 0,
    reminders: [],
    letGoOf: null,
    attentionAt: null,
    job: null,
    providerState: null,
  }
}
