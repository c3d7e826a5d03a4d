import { z } from 'zod'
import { type EndReason, endReasons } from '../../broker/lease.ts'
import { refuse } from '../base/errors.ts'
import { hasRole } from '../identity/person.ts'
import { finishLease } from './desktops.ts'
import { leaseOf } from './list-leases.ts'
import { change } from './operation.ts'
import { anybody } from './rules.ts'
import { LeaseShape, leaseView } from './shapes/lease.ts'

export const endLeaseNow = change({
  name: 'end-lease',
  summary: 'Give a desktop back, or (an operator) take it away.',
  http: { method: 'POST', path: '/leases/{id}/end' },
  input: z.object({ id: z.string().max(60), reason: z.enum(endReasons).optional() }),
  output: LeaseShape,
  subject: ({ id }) => `lease:${id}`,
  allow: anybody,
  async run(context, { id, reason }) {
    const { caller } = context
    const lease = await leaseOf(context, id)
    const own = lease.user === caller.user
    if (!own && !hasRole(caller, 'operator'))
      refuse('forbidden', 'Only operators end the sessions of others.')
    const fitting: EndReason = reason ?? (own ? 'released' : 'revoked')
    return leaseView(await finishLease(context, lease, fitting), context)
  },
})
