import { z } from 'zod'
import { leaseOf } from './list-leases.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { ProgressShape } from './shapes/job.ts'
import { LeaseShape, leaseView } from './shapes/lease.ts'
import { progressOfLease } from './waiting.ts'

export const showLease = query({
  name: 'show-lease',
  summary: 'Show a lease with its history, and how far its desktop has come while one is being made.',
  http: { method: 'GET', path: '/leases/{id}' },
  input: z.object({ id: z.string().max(60) }),
  output: LeaseShape.extend({ progress: ProgressShape.optional() }),
  allow: anybody,
  async run(context, { id }) {
    const lease = await leaseOf(context, id)
    const progress = lease.state === 'preparing' ? await progressOfLease(context.tx, lease) : undefined
    return { ...(await leaseView(lease, context)), ...(progress === undefined ? {} : { progress }) }
  },
})
