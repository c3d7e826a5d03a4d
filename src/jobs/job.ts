import type { Instant } from '../base/clock.ts'
import { type Move, states } from '../base/states.ts'

/** What each kind of job is told. Ids only: a job reads the facts when it runs. */
export interface JobInputs {
  'provision-machine': { machine: string }
  'control-machine': { machine: string; verb: ControlVerb }
  'resize-machine': {
    machine: string
    cpus: number
    memoryGb: number
    /** What to go back to if it cannot be done. */
    was: { cpus: number; memoryGb: number }
    request: string | null
  }
  'snapshot-machine': { machine: string; deed: SnapshotDeed; snapshot: string }
  /** `was` is the state that it goes on in where it arrives, or where it stays. */
  'migrate-machine': { machine: string; from: string; to: string; was: MigratingState }
  /** `runs`: whether it is started again after it was shut down for it. */
  'capture-machine': { machine: string; image: string; runs: boolean }
  'archive-machine': { machine: string; image: string }
  'restore-machine': { machine: string }
  /** A file of `user` that becomes the disk of an image. */
  'import-disk': { image: string; ref: string; hypervisor: string; file: string; user: string }
  'export-image': { image: string; ref: string; hypervisor: string; file: string; user: string }
  /** Of nobody is one that was being taken in or written. */
  'remove-disk': { user: string | null; file: string }
  'remove-image': { image: string; ref: string; hypervisor: string }
  'drain-host': { host: string }
  /** What is still to be begun, what was, and what could not be. */
  rebalance: {
    left: { machine: string; from: string; to: string }[]
    begun: { machine: string; to: string }[]
    failed: { machine: string; why: string }[]
    by: string
  }
  'remove-leftover': { ref: string; hypervisor: string; host: string }
  'delete-machine': { machine: string; reason: string }
  'announce-address': { machine: string; ref: string }
  'deregister-machine': { machine: string; ref: string; address: string | null; owner: string | null }
  'expire-machine': { machine: string; end: Instant }
  'make-desktop': { desktop: string }
  'wake-desktop': { desktop: string }
  /** Saves a spare one that is more than the pool keeps running. */
  'store-desktop': { desktop: string }
  /** Removes one of an old version, after the session that was on it; the pool makes another. */
  'retire-desktop': { desktop: string; lease: string | null }
  /** After a lease in a shared pool: clean it, and prove that it is. */
  'reset-desktop': { desktop: string; lease: string | null }
  /** After a lease in a persistent pool: save it or leave it running for its person. */
  'rest-desktop': { desktop: string; lease: string | null }
  'deliver-notice': { notice: string }
  /** To one person on one platform that did not take it before. */
  'deliver-copy': { notice: string; user: string; platform: string }
  /** On one platform only, when it did not answer before. */
  'redraw-cards': { about: string; platform?: string }
}
export type JobKind = keyof JobInputs

export type SnapshotDeed = 'take' | 'revert' | 'forget'
export type MigratingState = 'running' | 'stopped' | 'saved'

export type ControlVerb = 'start' | 'shutdown' | 'power-off' | 'reset' | 'save' | 'resume'

export type JobState = 'queued' | 'running' | 'done' | 'failed'

export const jobStates = states<JobState>('Job', {
  queued: ['running', 'failed'],
  running: ['done', 'failed', 'queued'],
  done: [],
  failed: [],
})

export interface JobStage {
  name: string
  state: 'waiting' | 'running' | 'done' | 'failed'
  at: Instant | null
}

/** Work that is slow, timed or outside, saved in the transaction that wants it. Done at least once: harmless twice. */
export interface Job<K extends JobKind = JobKind> {
  id: string
  kind: K
  input: JobInputs[K]
  /** The machine, request or lease it is about, as `machine:webafs20`. Jobs on one subject run one after the other. */
  subject: string
  /** Who caused it. */
  by: string
  state: JobState
  history: Move<JobState>[]
  stages: JobStage[]
  attempts: number
  createdAt: Instant
  /** Not to be started before. */
  dueAt: Instant
  /** While running: which process has it in hand, and when another may take it over. */
  takenBy: string | null
  takenUntil: Instant | null
  endedAt: Instant | null
  error: string | null
}

/** A job to be saved in the transaction that wants it. */
export function newJob<K extends JobKind>(facts: {
  id: string
  kind: K
  input: JobInputs[K]
  subject: string
  by: string
  at: Instant
  dueAt?: Instant
}): Job<K> {
  const { id, kind, input, subject, by, at, dueAt = at } = facts
  return {
    id,
    kind,
    input,
    subject,
    by,
    state: 'queued',
    history: [{ state: 'queued', at }],
    stages: [],
    attempts: 0,
    createdAt: at,
    dueAt,
    takenBy: null,
    takenUntil: null,
    endedAt: null,
    error: null,
  }
}
