import { extendLease, type Lease } from '../../broker/lease.ts'
import { latestApproved, latestEnd, termsOf } from '../../broker/lease-terms.ts'
import type { Quote } from '../../pricing/quote.ts'
import { latest } from '../base/clock.ts'
import { refuse } from '../base/errors.ts'
import { redrawCards } from '../jobs/outbox.ts'
import { type Ask, fulfil, type Request } from '../requests/request.ts'
import { poolNamed } from './desktops.ts'
import { withoutAsking } from './lease-asked.ts'
import { holdForLease, priceOfLonger } from './lease-charging.ts'
import type { Context } from './operation.ts'

type Granting = Pick<Context, 'tx' | 'now' | 'ids' | 'site'>
type LeaseAsk = Extract<Ask, { kind: 'lease' }>

/** What the time that is asked for costs now: nothing where sessions of the pool cost nobody anything. */
export async function priceOfLeaseTime(
  context: Granting,
  ask: LeaseAsk,
): Promise<Pick<Quote, 'totalMilli' | 'perDayMilli' | 'lines'>> {
  const price = await priceOfLonger(context, await leaseAsked(context, ask), ask.until)
  return { totalMilli: price?.totalMilli ?? 0, perDayMilli: price?.perDayMilli ?? 0, lines: [] }
}

/** Moves the end of a session as somebody has agreed to, and holds its price. */
export async function grantLeaseTime(context: Granting, request: Request, ask: LeaseAsk): Promise<Request> {
  await moveLeaseEnd(context, await leaseAsked(context, ask), ask.until)
  return fulfil(request, context.now)
}

/**
 * The session with a later end, up to what may be agreed to; what is asked of others about it is over then.
 * @throws Refusal `lease_ended`, `bad_term`, `budget_exhausted`.
 */
export async function moveLeaseEnd(context: Granting, lease: Lease, until: string): Promise<Lease> {
  const { tx, site, now } = context
  const terms = termsOf(poolNamed(site, lease.pool), site.timezone)
  const limit = latest(latestEnd(lease, terms), latestApproved(lease, terms))
  const extended = withoutAsking(extendLease(lease, { until }, terms, now, limit))
  await tx.leases.put(extended)
  await holdForLease(context, extended, 'checked')
  await redrawCards(context, `lease:${lease.id}`)
  return extended
}

async function leaseAsked({ tx }: Granting, { lease: id, desktop }: LeaseAsk): Promise<Lease> {
  const lease = await tx.leases.get(id)
  if (lease !== undefined && lease.state !== 'ended') return lease
  return refuse('lease_ended', `The session on ${desktop} has ended. There is nothing left to extend.`, {
    about: id,
  })
}
