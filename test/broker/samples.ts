import type { Desktop } from '../../broker/desktop.ts'
import { type Lease, offerLease, prepareLease } from '../../broker/lease.ts'
import { type LeaseTerms, termsOf } from '../../broker/lease-terms.ts'
import { PoolRule } from '../../broker/pool.ts'

export const start = '2026-03-02T08:00:00.000Z'

/** Two hours, warned five minutes before, ten minutes to come back, ten to come at all, two more hours at the most. */
export function aPool(changes: Partial<PoolRule> = {}): PoolRule {
  const pool = PoolRule.parse({
    name: 'public',
    kind: 'shared',
    template: 'desktop',
    group: 'desktops',
    size: { spare: 2, max: 10 },
    members: ['everyone'],
    lease: { max: 'PT2H', warn: 'PT5M', disconnected: 'PT10M', atEnd: 'reset' },
  })
  return { ...pool, ...changes }
}

export const terms: LeaseTerms = termsOf(aPool(), 'Europe/Zurich')

export function aLease(changes: Partial<Lease> = {}): Lease {
  const opening = {
    id: 'L-1',
    pool: 'public',
    desktop: null,
    user: 'alice',
    terminal: null,
    ticket: 'fingerprint',
    nonce: 'nonce',
  }
  return { ...prepareLease(opening, terms, start), ...changes }
}

export function anOfferedLease(at = start): Lease {
  return offerLease(aLease(), 'public-01', terms, at)
}

export function aDesktop(changes: Partial<Desktop> = {}): Desktop {
  return {
    id: 'public-01',
    pool: 'public',
    state: 'spare',
    history: [],
    person: null,
    lease: null,
    ...changes,
  }
}

/** An instant, minutes and seconds after the start. */
export function after(minutes: number, seconds = 0): string {
  return new Date(Date.parse(start) + minutes * 60_000 + seconds * 1000).toISOString()
}
