import type { Instant } from '../base/clock.ts'
import { type Move, states } from '../base/states.ts'
import type { Via } from '../identity/person.ts'

export type RequestState =
  'pending' | 'approved' | 'denied' | 'cancelled' | 'expired' | 'failed' | 'fulfilled'

export const requestStates = states<RequestState>('Request', {
  pending: ['approved', 'denied', 'cancelled', 'expired'],
  approved: ['fulfilled', 'failed'],
  denied: [],
  cancelled: [],
  expired: [],
  failed: [],
  fulfilled: [],
})

/** Somebody who may decide, and the reason why. */
export interface Approver {
  user: string
  /** `holder`, `delegate` or `fallback`, with what of, for a person to read. */
  why: string
}

export interface Decision {
  by: string
  at: Instant
  verdict: 'approved' | 'denied' | 'cancelled'
  reason: string | null
  via: Via
}

/** What is asked for: new machines, or more time or room for one that exists. */
export type Ask =
  | {
      kind: 'machines'
      count: number
      name: string | null
      host: string | null
      until: Instant | null
      days: number | null
    }
  | { kind: 'extension'; machine: string; until: Instant }
  | { kind: 'resize'; machine: string; cpus: number; memoryGb: number }

/** A person's request. `id` is `R-` and a number that people can say aloud. */
export interface Request {
  id: string
  number: number
  state: RequestState
  history: Move<RequestState>[]
  requester: string
  ask: Ask
  template: string
  cpus: number
  memoryGb: number
  description: string
  purpose: string
  administrators: string[]
  budget: string
  /** The quote as it stood when it was asked for; kept so that what was approved can be shown later. */
  quote: { id: string; totalMilli: number; perDayMilli: number }
  approvers: Approver[]
  decisions: Decision[]
  /** Names of the machines it made or is about. */
  machines: string[]
  createdAt: Instant
  expiresAt: Instant
  /** How often its approvers were reminded. */
  reminded: number
  /** The next instant at which something is due about it (a reminder to approvers, its end). */
  attentionAt: Instant | null
  failure: string | null
}
