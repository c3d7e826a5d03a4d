import type { Commitment } from '../../pricing/commitment.ts'
import { type Promised, tariffsPromised } from '../../pricing/promised.ts'
import { tariffsOfClass } from '../../pricing/tariff-class.ts'
import type { Tariff, Term } from '../../pricing/tariff.ts'
import type { Instant } from '../base/clock.ts'
import { type LocalDay, localDay } from '../base/period.ts'
import { serverGroup } from '../machines/host.ts'
import type { ReadTransaction } from '../store/store.ts'
import type { Site } from './site.ts'

interface Moment {
  now: Instant
  site: Site
}

/** The class of prices of machines on a host: its group. Without a host it is that of servers. */
export async function priceClassOn(tx: ReadTransaction, host: string | null | undefined): Promise<string> {
  const found = host === null || host === undefined ? undefined : await tx.hosts.get(host)
  return found?.group ?? serverGroup
}

/** The class of prices of machines that are asked for: the group of the host that was chosen, else the group itself. */
export async function priceClassFor(
  tx: ReadTransaction,
  { host, group }: { host?: string | null | undefined; group?: string | undefined },
): Promise<string> {
  return host === null || host === undefined ? (group ?? serverGroup) : priceClassOn(tx, host)
}

/** What is promised when days are agreed on: where the site honours its quotes, the prices of today for all of them. */
export function promisesFor(term: Term, { now, site }: Moment): Promised[] {
  if (!site.policies.prices.honourQuotes || term.from >= term.to) return []
  return [{ from: term.from, to: term.to, asOf: localDay(now, site.timezone) }]
}

/** The tariffs of a class that days would go by if they were agreed on now. */
export function tariffsFor(term: Term, priceClass: string, at: Moment): Tariff[] {
  return tariffsPromised(tariffsOfClass(at.site.tariffs, priceClass), promisesFor(term, at))
}

/**
 * The tariffs that a machine goes by: those of the class that it was agreed on in, whichever host it is on today. What it
 * was promised holds whatever the site's file says today.
 */
export function tariffsOf(
  site: Site,
  commitment: Pick<Commitment, 'promised' | 'priceClass'> | undefined,
): Tariff[] {
  const { priceClass = serverGroup, promised = [] } = commitment ?? {}
  return tariffsPromised(tariffsOfClass(site.tariffs, priceClass), promised)
}

/** The commitment for a later end: the days that are added are promised anew. Days that are paid stay paid. */
export function prolonged(commitment: Commitment, to: LocalDay, at: Moment): Commitment {
  const { paidTo, promised = [] } = commitment
  if (to <= paidTo) return commitment
  return { ...commitment, paidTo: to, promised: [...promised, ...promisesFor({ from: paidTo, to }, at)] }
}
