import { earliest, type Instant, plusMillis } from '../src/base/clock.ts'
import { addDuration, type Duration } from '../src/base/duration.ts'
import { assert } from '../src/base/errors.ts'
import type { EndReason, Lease } from './lease.ts'
import { closingAfter } from './opening-hours.ts'
import type { PoolRule } from './pool.ts'

/** What a pool says of its leases, walked on the site's calendar. */
export type LeaseTerms = PoolRule['lease'] & { zone: string; hours: PoolRule['hours'] }

export function termsOf(pool: PoolRule, zone: string): LeaseTerms {
  return { ...pool.lease, zone, hours: pool.hours }
}

/** Something that is to happen to a lease now. */
export type Due = { kind: 'warn' } | { kind: 'end'; reason: EndReason }

interface Appointment {
  at: Instant
  due: Due
}

/** The next instant at which something is due about a lease; null once it has ended. */
export function attentionOf(lease: Lease, terms: LeaseTerms): Instant | null {
  return earliest(...appointments(lease, terms).map(({ at }) => at))
}

/**
 * What is due about a lease. When several ends have passed (the service was down), the first one in time is the
 * reason. An end that is due makes a warning of it pointless.
 */
export function dueOf(lease: Lease, terms: LeaseTerms, now: Instant): Due[] {
  const past = appointments(lease, terms)
    .filter(({ at }) => at <= now)
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .map(({ due }) => due)
  const end = past.find(({ kind }) => kind === 'end')
  return end === undefined ? past : [end]
}

function appointments(lease: Lease, terms: LeaseTerms): Appointment[] {
  if (lease.state === 'ended') return []
  const found: Appointment[] = [
    { at: lease.endsAt, due: { kind: 'end', reason: reasonAt(lease.endsAt, terms) } },
  ]
  if (lease.state === 'offered') {
    found.push({
      at: after(lease.offeredAt, terms.unused, terms),
      due: { kind: 'end', reason: 'never_used' },
    })
  }
  if (lease.state === 'disconnected') {
    const at = after(lease.disconnectedAt, terms.disconnected, terms)
    found.push({ at, due: { kind: 'end', reason: 'disconnected_too_long' } })
  }
  if (lease.state !== 'preparing' && lease.warnedFor !== lease.endsAt) {
    found.push({ at: addDuration(lease.endsAt, terms.warn, terms.zone, -1), due: { kind: 'warn' } })
  }
  return found
}

/** An end that is the hour at which the pool closes is its closing. */
function reasonAt(end: Instant, { hours, zone }: LeaseTerms): EndReason {
  return closingAfter(hours, plusMillis(end, -1), zone) === end ? 'pool_closed' : 'expired'
}

/** The end of a lease that is offered now: after its longest time, or when its pool closes. */
export function firstEnd(at: Instant, { max, hours, zone }: LeaseTerms): Instant {
  return earliest(addDuration(at, max, zone), closingAfter(hours, at, zone)) ?? at
}

function after(at: Instant | null, duration: Duration, terms: LeaseTerms): Instant {
  assert(at !== null, 'a lease knows since when it is in its state')
  return addDuration(at, duration, terms.zone)
}

/** The latest end that somebody may agree to: never after the pool closes. */
export function latestApproved(lease: Lease, terms: LeaseTerms): Instant {
  const offered = offeredFirst(lease)
  const longest = addDuration(offered, terms.approvedMax, terms.zone)
  return earliest(longest, closingAfter(terms.hours, offered, terms.zone)) ?? longest
}

function offeredFirst({ history, createdAt }: Lease): Instant {
  return history.find(({ state }) => state === 'offered')?.at ?? createdAt
}

/** The latest end that all extensions together may reach: the pool's longest lease and what may be added to it. */
export function latestEnd(lease: Lease, terms: LeaseTerms): Instant {
  const offered = offeredFirst(lease)
  const longest = addDuration(addDuration(offered, terms.max, terms.zone), terms.extendMax, terms.zone)
  return earliest(longest, closingAfter(terms.hours, offered, terms.zone)) ?? longest
}
