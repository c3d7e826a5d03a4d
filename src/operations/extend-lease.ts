import { z } from 'zod'
import { endWanted, extendLease, type LaterEnd, type Lease } from '../../broker/lease.ts'
import { latestApproved, latestEnd, termsOf } from '../../broker/lease-terms.ts'
import { heldMilli } from '../../pricing/commitment.ts'
import { formatMoney } from '../../pricing/money.ts'
import { latest } from '../base/clock.ts'
import { Outage, refuse } from '../base/errors.ts'
import { hasRole } from '../identity/person.ts'
import { type Known, namesOnBudget, operatorNames, peopleBehind } from './approvers.ts'
import { poolNamed } from './desktops.ts'
import { askForTime } from './lease-asking.ts'
import { moveLeaseEnd } from './lease-granting.ts'
import { leaseOf } from './list-leases.ts'
import { change, type Context } from './operation.ts'
import { anybody } from './rules.ts'
import { InstantField, InstantShape, MoneyShape } from './shapes/fields.ts'
import { LeaseShape, leaseView } from './shapes/lease.ts'

/** `extra` is what is held for the time that was added, where the session costs something. */
const Extended = LeaseShape.extend({ extra: MoneyShape.optional() })
/** `extra` is what it would cost. */
const Requested = z.object({
  request: z.string(),
  until: InstantShape,
  extra: MoneyShape,
  currency: z.string(),
})

export const extendLeaseTime = change({
  name: 'extend-lease',
  summary: 'Keep a desktop longer. Beyond what its pool allows by itself it becomes a request.',
  http: {
    method: 'POST',
    path: '/leases/{id}/extend',
    status: (answer) => (Requested.safeParse(answer).success ? 202 : 200),
  },
  input: z.object({
    id: z.string().max(60),
    until: InstantField.optional(),
    minutes: z.coerce.number().int().min(1).max(100_000).optional(),
  }),
  output: z.union([Requested, Extended]),
  subject: ({ id }) => `lease:${id}`,
  allow: anybody,
  // Who would decide. Time that the pool allows is given though the directory does not answer.
  ask: async (outside): Promise<Known | Outage> => {
    const { budgets } = outside.site
    const names = [...budgets.flatMap(({ code }) => namesOnBudget(outside, code)), ...operatorNames(outside)]
    return peopleBehind(outside, names).catch((error: unknown) => {
      if (error instanceof Outage) return error
      throw error
    })
  },
  async run(
    context,
    { id, until, minutes },
    known,
  ): Promise<z.infer<typeof Extended> | z.infer<typeof Requested>> {
    const lease = await steeredLease(context, id)
    if (until === undefined && minutes === undefined)
      refuse('bad_term', 'Say until when, or for how many minutes more.')
    const held = await heldFor(context, id)
    const wanted = endFor(context, lease, until === undefined ? { minutes: minutes ?? 0 } : { until })
    if (wanted.isBeyond && !(await isFreeFor(context, lease))) {
      if (known instanceof Outage) throw known
      const request = await askForTime(context, lease, wanted.until, known)
      if (request.state === 'pending') {
        const extra = formatMoney(request.quote.totalMilli)
        return { request: request.id, until: wanted.until, extra, currency: context.site.currency }
      }
    } else await moveLeaseEnd(context, lease, wanted.until)
    const view = await leaseView((await context.tx.leases.get(id)) ?? lease, context)
    const after = await heldFor(context, id)
    return after === undefined || held === undefined ? view : { ...view, extra: formatMoney(after - held) }
  },
})

/** A lease, for its person and operators. @throws Refusal `not_found`, or `forbidden` to who may only look. */
async function steeredLease(context: Context, id: string): Promise<Lease> {
  const lease = await leaseOf(context, id)
  if (lease.user !== context.caller.user && !hasRole(context.caller, 'operator')) {
    refuse('forbidden', 'Only operators extend the sessions of others.')
  }
  return lease
}

/** The end that is wanted, which somebody may give, and whether that is more than the pool allows by itself. */
function endFor({ now, site }: Context, lease: Lease, to: LaterEnd) {
  const terms = termsOf(poolNamed(site, lease.pool), site.timezone)
  const limit = latestEnd(lease, terms)
  extendLease(lease, to, terms, now, latest(limit, latestApproved(lease, terms)))
  const until = endWanted(lease, to)
  return { until, isBeyond: until > limit }
}

/** What costs nobody anything is the operators' to give to others. */
async function isFreeFor({ tx, caller }: Context, lease: Lease): Promise<boolean> {
  const isOthers = lease.user !== caller.user && hasRole(caller, 'operator')
  return isOthers && (await tx.commitments.get(lease.id)) === undefined
}

/** What is held for a session; nothing where it costs nobody anything. */
async function heldFor({ tx }: Context, id: string): Promise<number | undefined> {
  const commitment = await tx.commitments.get(id)
  return commitment === undefined ? undefined : heldMilli(commitment)
}
