import { earliest, type Instant, plusMillis } from '../src/base/clock.ts'
import { assert, refuse } from '../src/base/errors.ts'
import { type Move, move, states } from '../src/base/states.ts'
import { attentionOf, firstEnd, latestEnd, type LeaseTerms } from './lease-terms.ts'

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

/** Bytes, and when there were any. */
export interface LeaseTraffic {
  toDesktop: number
  toClient: number
  firstByteAt: Instant | null
  lastByteAt: Instant | null
  /** When the client said something last. */
  lastInputAt: Instant | null
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
  /** Set where it is on the person's own desktop, which no other person could have had. */
  own?: true
  terminal: TerminalFacts | null
  /** What the token is recognised by. The token itself is never kept. */
  ticket: string
  /** Chance that goes into the token, so that it can be written again into a second file for the same lease. */
  nonce: string
  createdAt: Instant
  /** When it was last offered: the time that it waits for a first connection counts from here. */
  offeredAt: Instant | null
  /** When it was first connected. */
  connectedAt: Instant | null
  /** Since when nobody has been connected; null before the first connection and during one. */
  disconnectedAt: Instant | null
  endsAt: Instant
  /** The end that the person was warned of, so that a moved end is warned of anew. */
  warnedFor: Instant | null
  endedAt: Instant | null
  endReason: EndReason | null
  /** How many connections the router relays for it now. */
  connections: number
  /** The request for more time than the pool allows, while that waits for its decision. */
  asked?: string
  /** What has passed in all of its connections, as far as routers have said. */
  traffic?: LeaseTraffic
  /** The next instant at which something is due about it (a warning, a release, its end). */
  attentionAt: Instant | null
}

export interface LeaseOpening {
  id: string
  pool: string
  /** The person's own desktop while it is woken; null when any will do. */
  desktop: string | null
  user: string
  terminal: TerminalFacts | null
  ticket: string
  nonce: string
}

/** A new lease, without a desktop yet. Its time starts anew once it is offered one. */
export function prepareLease(opening: LeaseOpening, terms: LeaseTerms, at: Instant): Lease {
  return withAttention(
    {
      ...opening,
      state: 'preparing',
      history: [{ state: 'preparing', at }],
      createdAt: at,
      offeredAt: null,
      connectedAt: null,
      disconnectedAt: null,
      endsAt: firstEnd(at, terms),
      warnedFor: null,
      endedAt: null,
      endReason: null,
      connections: 0,
      attentionAt: null,
    },
    terms,
  )
}

/**
 * The desktop is ready: the person may dial. The time it took to make is not taken from theirs.
 * @throws Refusal `wrong_state` unless it was being prepared, `lease_ended` when it is over.
 */
export function offerLease(lease: Lease, desktop: string, terms: LeaseTerms, at: Instant): Lease {
  if (lease.state === 'ended') refuseOver(lease, at)
  const endsAt = firstEnd(at, terms)
  const offered = move(leaseStates, lease, 'offered', { at })
  return withAttention({ ...offered, desktop, offeredAt: at, endsAt }, terms)
}

/**
 * The person asks again, perhaps from another terminal: the same lease, token and end. One that nobody has connected
 * to yet waits its whole time again.
 * @throws Refusal `lease_ended` when it is over.
 */
export function resumeLease(
  lease: Lease,
  terminal: TerminalFacts | null,
  terms: LeaseTerms,
  at: Instant,
): Lease {
  refuseOver(lease, at)
  const offeredAt = lease.state === 'offered' ? at : lease.offeredAt
  return withAttention({ ...lease, terminal: terminal ?? lease.terminal, offeredAt }, terms)
}

/**
 * The router relays one more connection. A second one is normal: clients dial again within milliseconds.
 * @throws Refusal `lease_ended` when it is over, `wrong_state` while its desktop is being made.
 */
export function connectLease(lease: Lease, terms: LeaseTerms, at: Instant): Lease {
  refuseOver(lease, at)
  const connected = lease.state === 'connected' ? lease : move(leaseStates, lease, 'connected', { at })
  return withAttention(
    {
      ...connected,
      connectedAt: lease.connectedAt ?? at,
      disconnectedAt: null,
      connections: lease.connections + 1,
    },
    terms,
  )
}

/** A connection of it has closed. After the last one the session is kept for a while. Harmless once it has ended. */
export function disconnectLease(lease: Lease, terms: LeaseTerms, at: Instant): Lease {
  if (lease.state !== 'connected') return lease
  if (lease.connections > 1) return { ...lease, connections: lease.connections - 1 }
  return dropConnections(lease, terms, at)
}

/** Adds what has passed since this was last said. */
export function addTraffic(lease: Lease, passed: LeaseTraffic): Lease {
  const known = lease.traffic
  if (known === undefined) return { ...lease, traffic: passed }
  const later = (a: Instant | null, b: Instant | null) => (a !== null && (b === null || a > b) ? a : b)
  return {
    ...lease,
    traffic: {
      toDesktop: known.toDesktop + passed.toDesktop,
      toClient: known.toClient + passed.toClient,
      firstByteAt: earliest(known.firstByteAt, passed.firstByteAt),
      lastByteAt: later(known.lastByteAt, passed.lastByteAt),
      lastInputAt: later(known.lastInputAt, passed.lastInputAt),
    },
  }
}

/** No connection of it is left, whatever was counted: what holds of every lease when the router starts. */
export function dropConnections(lease: Lease, terms: LeaseTerms, at: Instant): Lease {
  if (lease.state !== 'connected') return lease
  const disconnected = move(leaseStates, lease, 'disconnected', { at })
  return withAttention({ ...disconnected, connections: 0, disconnectedAt: at }, terms)
}

/** Ends a lease for good. One that has ended keeps its first reason: ending it again is harmless. */
export function endLease(lease: Lease, reason: EndReason, at: Instant): Lease {
  if (lease.state === 'ended') return lease
  const ended = move(leaseStates, lease, 'ended', { at, reason })
  return { ...ended, endedAt: at, endReason: reason, connections: 0, attentionAt: null }
}

/** In minutes; more of them may not fit a date. */
const tenYears = 5_256_000

/** The end that somebody wants: an instant, or minutes after the old one. */
export function endWanted({ endsAt }: Pick<Lease, 'endsAt'>, to: LaterEnd): Instant {
  return 'until' in to ? to.until : plusMillis(endsAt, Math.min(to.minutes, tenYears) * 60_000)
}
export type LaterEnd = { until: Instant } | { minutes: number }

/**
 * Moves the end of a lease: to an instant, or by minutes from its old end.
 * @param limit the latest end: what the pool allows, or what somebody may agree to
 * @throws Refusal `lease_ended`; `wrong_state` while its desktop is being made; `bad_term` when the new end is not
 * later than the old one, or later than the limit.
 */
export function extendLease(
  lease: Lease,
  to: LaterEnd,
  terms: LeaseTerms,
  at: Instant,
  limit = latestEnd(lease, terms),
): Lease {
  refuseOver(lease, at)
  if (lease.state === 'preparing') {
    refuse(
      'wrong_state',
      'The desktop is still being made, and its time starts when it is ready. Extend it then.',
    )
  }
  const endsAt = endWanted(lease, to)
  if (endsAt <= lease.endsAt) {
    refuse('bad_term', `The session lasts until ${lease.endsAt} already. Ask for a later end.`)
  }
  if (endsAt > limit) {
    const remedy = limit > lease.endsAt ? 'Ask for that or less.' : 'Save your work and open a new one.'
    refuse('bad_term', `This session can last until ${limit} at the most. ${remedy}`)
  }
  return withAttention({ ...lease, endsAt }, terms)
}

/** The desktop that was being woken for it cannot be: the next one that is ready is its own. */
export function waitForAnother(lease: Lease, terms: LeaseTerms): Lease {
  if (lease.state !== 'preparing') return lease
  return withAttention({ ...lease, desktop: null }, terms)
}

/** Remembers that the person was warned of this end. */
export function warnLease(lease: Lease, terms: LeaseTerms): Lease {
  if (lease.state === 'ended') return lease
  return withAttention({ ...lease, warnedFor: lease.endsAt }, terms)
}

function withAttention(lease: Lease, terms: LeaseTerms): Lease {
  const open = lease.state === 'preparing' || lease.desktop !== null
  assert(open, 'a lease that is past preparing has a desktop')
  return { ...lease, attentionAt: attentionOf(lease, terms) }
}

/** A lease is over at its end to the millisecond, even when the sweep that says so comes a little later. */
function refuseOver(lease: Lease, at: Instant): void {
  if (lease.state === 'ended' || lease.endsAt <= at) {
    refuse('lease_ended', 'This session has ended. Open a new one.', { about: lease.id })
  }
}
