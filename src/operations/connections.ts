import { z } from 'zod'
import { connectLease, disconnectLease, dropConnections, type Lease } from '../../broker/lease.ts'
import { type LeaseTerms, termsOf } from '../../broker/lease-terms.ts'
import { notFound } from '../base/errors.ts'
import { redrawCards } from '../jobs/outbox.ts'
import { poolNamed } from './desktops.ts'
import { change, type Context } from './operation.ts'
import { operators } from './rules.ts'

/** Applies what the router saw to a lease. */
async function watch(
  context: Context,
  id: string,
  step: (lease: Lease, terms: LeaseTerms) => Lease,
): Promise<Record<string, never>> {
  const { tx, site } = context
  const lease = await tx.leases.get(id)
  if (lease === undefined) throw notFound('lease', id)
  await tx.leases.put(step(lease, termsOf(poolNamed(site, lease.pool), site.timezone)))
  await redrawCards(context, `lease:${id}`)
  return {}
}

export const beginConnection = change({
  name: 'begin-connection',
  summary: 'Say that a client has reached its desktop.',
  http: null,
  input: z.object({ lease: z.string() }),
  output: z.object({}),
  subject: ({ lease }) => `lease:${lease}`,
  allow: operators,
  run: (context, input) =>
    watch(context, input.lease, (lease, terms) => connectLease(lease, terms, context.now)),
})

export const endConnection = change({
  name: 'end-connection',
  summary: 'Say that a connection is over.',
  http: null,
  input: z.object({ lease: z.string(), reason: z.string() }),
  output: z.object({}),
  subject: ({ lease }) => `lease:${lease}`,
  allow: operators,
  run: (context, input) =>
    watch(context, input.lease, (lease, terms) => disconnectLease(lease, terms, context.now)),
})

/** At start: a router that has just opened relays nothing, whatever was counted when the last one stopped. */
export const forgetConnections = change({
  name: 'forget-connections',
  summary: 'Say that no connection is left of those counted before.',
  http: null,
  unaudited: true,
  input: z.object({}),
  output: z.object({}),
  allow: operators,
  async run(context) {
    for (const lease of await context.tx.leases.find('state', 'connected')) {
      await watch(context, lease.id, (known, terms) => dropConnections(known, terms, context.now))
    }
    return {}
  },
})
