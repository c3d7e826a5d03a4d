import { z } from 'zod'
import { earliest, type Instant } from '../src/base/clock.ts'
import { addDuration } from '../src/base/duration.ts'
import type { Lease } from './lease.ts'
import { attentionOf, type LeaseTerms } from './lease-terms.ts'
import type { Roll } from './roll.ts'

/**
 * What an operator has done with a pool. `draining` takes no new sessions and lets those that are open go to their end;
 * `closed` ends them as well, each warned first.
 */
export interface PoolStanding {
  /** The pool's name. */
  id: string
  state: 'open' | 'draining' | 'closed'
  reason: string | null
  by: string
  at: Instant
  /** The last new version of its template that was sent through it. */
  roll?: Roll
}

/** A session of a pool that closes: it ends after the time of a warning, and is warned of that at once. */
export function closingLease(lease: Lease, terms: LeaseTerms, at: Instant): Lease {
  const end = earliest(lease.endsAt, addDuration(at, terms.warn, terms.zone)) ?? at
  const closing = { ...lease, endsAt: end }
  return lease.state === 'ended' ? lease : { ...closing, attentionAt: attentionOf(closing, terms) }
}

/** What holds of all pools together. */
export const DesktopPolicy = z.strictObject({
  /** The most sessions that one person has open, in all pools together; null lets them have one in each. */
  perPerson: z.number().int().min(1).nullable().default(null),
})
export type DesktopPolicy = z.infer<typeof DesktopPolicy>
