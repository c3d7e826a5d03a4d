import type { Instant } from '../../src/base/clock.ts'

/** A wish that somebody keeps repeating under one key until they are answered. */
export interface Wish {
  who: string
  key: string
  purpose: string
  input: OrderInput
  at: Instant
  /** The request that it was answered with. */
  answered: string | null
  /** What it was refused for. */
  refused: string | null
}

export interface OrderInput {
  template: string
  budget: string
  purpose: string
  days: number
  count: number
  cpus: number
  memoryGb: number
  name?: string
}

/**
 * What people were told, kept apart from the service and as plainly as can be: the invariants compare it with what the
 * service has after every step.
 */
export interface Model {
  readonly wishes: Wish[]
  /** By request: what somebody was told that it had become. */
  readonly decisions: Map<string, 'approved' | 'denied' | 'cancelled'>
  /** By machine's handle: the latest end that somebody was promised. */
  readonly ends: Map<string, Instant>
  /** By machine's handle: whose deletion somebody was told to be under way. */
  readonly deletions: Set<string>
  /** By lease: whose it is, and once it was told to have ended, when and why. */
  readonly leases: Map<string, { user: string; at: Instant; ended: { at: Instant; reason: string } | null }>
  /** By operation: how often it was answered. */
  readonly done: Map<string, number>
}

export function openModel(): Model {
  return {
    wishes: [],
    decisions: new Map(),
    ends: new Map(),
    deletions: new Set(),
    leases: new Map(),
    done: new Map(),
  }
}
