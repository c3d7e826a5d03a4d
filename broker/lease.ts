import type { Instant } from '../src/base/clock.ts'
import { type Move, states } from '../src/base/states.ts'

export type LeaseState = 'preparing' | 'offered' | 'connected' | 'disconnected' | 'ended'

/** Why a lease ended: true to what happened, shown to the person and kept for good. */
export const endReasons = [
  'logged_off',
  'released',
  'expired',
  'idle',
  'disconnected_too_long',
  'revoked',
  'desktop_lost',
  'pool_closed',
  'never_used',
  'failed',
] as const
export type EndReason = (typeof endReasons)[number]

export const leaseStates = states<LeaseState>('Lease', {
  preparing: ['offered', 'ended'],
  offered: ['connected', 'ended'],
  connected: ['disconnected', 'ended'],
  disconnected: ['connected', 'ended'],
  ended: [],
})

/** What a terminal said of itself, or what the site's file says of it. */
export interface TerminalFacts {
  name: string | null
  mac: string | null
  kind: string | null
  address: string | null
}

/** A person's hold on a desktop. Exactly one open lease for a desktop at a time. */
export interface Lease {
  id: string
  state: LeaseState
  history: Move<LeaseState>[]
  pool: string
  /** The desktop's machine name; null while one is being made. */
  desktop: string | null
  user: string
  terminal: TerminalFacts | null
  /** What the token is recognised by. The token itself is never kept. */
  ticket: string
  /** Chance that goes into the token, so that it can be written again into a second file for the same lease. */
  nonce: string
  createdAt: Instant
  offeredAt: Instant | null
  connectedAt: Instant | null
  disconnectedAt: Instant | null
  endsAt: Instant
  warnedFor: Instant | null
  endedAt: Instant | null
  endReason: EndReason | null
  /** How many connections the router relays for it now. */
  connections: number
  /** The next instant at which something is due about it (a warning, a release, its end). */
  attentionAt: Instant | null
}
