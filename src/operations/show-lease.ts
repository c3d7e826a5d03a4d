import { z } from 'zod'
import { leaseOf } from './list-leases.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { LeaseShape, leaseView } from './shapes/lease.ts'

export const showLease = query({
  name: 'show-lease',
  summary: 'Show a lease with its history.',
  http: { method: 'GET', path: '/leases/{id}' },
  input: z.object({ id: z.string().max(60) }),
  output: LeaseShape,
  allow: anybody,
  run: async (context, { id }) => leaseView(await leaseOf(context, id)),
})
