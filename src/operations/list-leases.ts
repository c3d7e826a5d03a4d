import { z } from 'zod'
import { notFound } from '../base/errors.ts'
import { hasRole, type Caller } from '../identity/person.ts'
import type { Lease } from '../../broker/lease.ts'
import type { ReadTransaction } from '../store/store.ts'
import { pageOf } from './paging.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { Paging } from './shapes/fields.ts'
import { LeaseShape, leaseStateNames, leaseView } from './shapes/lease.ts'

export const listLeases = query({
  name: 'list-leases',
  summary: 'List leases, newest first: yours, or everybody’s for operators and auditors.',
  http: { method: 'GET', path: '/leases' },
  input: z.object({
    state: leaseStateNames.optional(),
    pool: z.string().max(40).optional(),
    user: z.string().max(100).optional(),
    terminal: z.string().max(63).optional(),
    ...Paging,
  }),
  output: z.object({ items: z.array(LeaseShape), next: z.string().nullable() }),
  allow: anybody,
  async run({ tx, caller, now, site }, { state, pool, user, terminal, limit = 50, cursor }) {
    const whose = maySeeAll(caller) ? user : caller.user
    const where =
      whose !== undefined
        ? ({ index: 'user', key: whose } as const)
        : state !== undefined
          ? ({ index: 'state', key: state } as const)
          : pool === undefined
            ? undefined
            : ({ index: 'pool', key: pool } as const)
    const page = await pageOf(
      tx.leases,
      { where, cursor, limit, newestFirst: true, order: ({ id }) => id },
      (lease) =>
        (state === undefined || lease.state === state) &&
        (pool === undefined || lease.pool === pool) &&
        (user === undefined || lease.user === user) &&
        (terminal === undefined || lease.terminal?.name === terminal),
    )
    const views = page.items.map((lease) => leaseView(lease, { tx, now, site }))
    return { items: await Promise.all(views), next: page.next }
  },
})

export function maySeeAll(caller: Caller): boolean {
  return hasRole(caller, 'operator') || hasRole(caller, 'auditor')
}

/** A lease, for its person, operators and auditors. @throws Refusal `not_found`. */
export async function leaseOf(
  { tx, caller }: { tx: ReadTransaction; caller: Caller },
  id: string,
): Promise<Lease> {
  const lease = await tx.leases.get(id)
  if (lease === undefined || (lease.user !== caller.user && !maySeeAll(caller))) throw notFound('lease', id)
  return lease
}
