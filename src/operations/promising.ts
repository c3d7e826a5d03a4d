import type { Commitment } from '../../pricing/commitment.ts'
import { type Promised, tariffsPromised } from '../../pricing/promised.ts'
import type { Tariff, Term } from '../../pricing/tariff.ts'
import type { Instant } from '../base/clock.ts'
import { type LocalDay, localDay } from '../base/period.ts'
import type { Site } from './site.ts'

interface Moment {
  now: Instant
  site: Site
}

/** What is promised when days are agreed on: where the site honours its quotes, the prices of today for all of them. */
export function promisesFor(term: Term, { now, site }: Moment): Promised[] {
  if (!site.policies.prices.honourQuotes || term.from >= term.to) return []
  return [{ from: term.from, to: term.to, asOf: localDay(now, site.timezone) }]
}

/** The tariffs that days would go by if they were agreed on now. */
export function tariffsFor(term: Term, at: Moment): Tariff[] {
  return tariffsPromised(at.site.tariffs, promisesFor(term, at))
}

/** The tariffs that a machine goes by. What it was promised holds whatever the site's file says today. */
export function tariffsOf(site: Site, commitment: Pick<Commitment, 'promised'> | undefined): Tariff[] {
  return tariffsPromised(site.tariffs, commitment?.promised ?? [])
}

/** The commitment for a later end: the days that are added are promised anew. Days that are paid stay paid. */
export function prolonged(commitment: Commitment, to: LocalDay, at: Moment): Commitment {
  const { paidTo, promised = [] } = commitment
  if (to <= paidTo) return commitment
  return { ...commitment, paidTo: to, promised: [...promised, ...promisesFor({ from: paidTo, to }, at)] }
}
