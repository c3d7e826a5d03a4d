import { z } from 'zod'
import { extendLease } from '../../broker/lease.ts'
import { termsOf } from '../../broker/lease-terms.ts'
import { heldMilli } from '../../pricing/commitment.ts'
import { formatMoney } from '../../pricing/money.ts'
import { refuse } from '../base/errors.ts'
import { redrawCards } from '../jobs/outbox.ts'
import { poolNamed } from './desktops.ts'
import { holdForLease } from './lease-charging.ts'
import { leaseOf } from './list-leases.ts'
import { change } from './operation.ts'
import { anybody } from './rules.ts'
import { InstantField, MoneyShape } from './shapes/fields.ts'
import { LeaseShape, leaseView } from './shapes/lease.ts'

export const extendLeaseTime = change({
  name: 'extend-lease',
  summary: 'Keep a desktop longer, as far as its pool allows.',
  http: { method: 'POST', path: '/leases/{id}/extend' },
  input: z.object({
    id: z.string().max(60),
    until: InstantField.optional(),
    minutes: z.coerce.number().int().min(1).max(100_000).optional(),
  }),
  /** `extra` is what is held for the time that was added, where the session costs something. */
  output: LeaseShape.extend({ extra: MoneyShape.optional() }),
  subject: ({ id }) => `lease:${id}`,
  allow: anybody,
  async run(context, { id, until, minutes }) {
    const { tx, now, site } = context
    const lease = await leaseOf(context, id)
    const terms = termsOf(poolNamed(site, lease.pool), site.timezone)
    if (until === undefined && minutes === undefined)
      refuse('bad_term', 'Say until when, or for how many minutes more.')
    const to = until === undefined ? { minutes: minutes ?? 0 } : { until }
    const extended = extendLease(lease, to, terms, now)
    await tx.leases.put(extended)
    const before = await tx.commitments.get(id)
    await holdForLease(context, extended, 'checked')
    const after = await tx.commitments.get(id)
    await redrawCards(context, `lease:${id}`)
    const isPaid = before !== undefined && after !== undefined
    const extra = isPaid ? { extra: formatMoney(heldMilli(after) - heldMilli(before)) } : {}
    return { ...(await leaseView(extended, context)), ...extra }
  },
})
