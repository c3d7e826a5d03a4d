import { z } from 'zod'
import { connectLease, disconnectLease, dropConnections, type Lease } from '../../broker/lease.ts'
import { type LeaseTerms, termsOf } from '../../broker/lease-terms.ts'
import { notFound } from '../base/errors.ts'
import { redrawCards } from '../jobs/outbox.ts'
import { poolNamed } from './desktops.ts'
import { change, type Context } from './operation.ts'
import { operators } from './rules.ts'

/** What one process relays for a lease. What all of them relay together stands on the lease. */
export interface Relay {
  id: string
  process: string
  lease: string
  /** At least 1: when the last one is over the relay is removed. */
  connections: number
}

/** Which process a router belongs to; a site that has but one need not say. */
const Process = z.string().default('alone')

/** Applies what a router saw to a lease. Gives back whether there is such a lease. */
async function watch(
  context: Context,
  id: string,
  step: (lease: Lease, terms: LeaseTerms) => Lease,
): Promise<boolean> {
  const { tx, site } = context
  const lease = await tx.leases.get(id)
  if (lease === undefined) return false
  await tx.leases.put(step(lease, termsOf(poolNamed(site, lease.pool), site.timezone)))
  await redrawCards(context, `lease:${id}`)
  return true
}

export const beginConnection = change({
  name: 'begin-connection',
  summary: 'Say that a client has reached its desktop.',
  http: null,
  input: z.object({ lease: z.string(), process: Process }),
  output: z.object({}),
  subject: ({ lease }) => `lease:${lease}`,
  allow: operators,
  async run(context, { lease: id, process }) {
    const known = await watch(context, id, (lease, terms) => connectLease(lease, terms, context.now))
    if (!known) throw notFound('lease', id)
    const relay = await context.tx.relays.get(relayId(process, id))
    const connections = (relay?.connections ?? 0) + 1
    await context.tx.relays.put({ id: relayId(process, id), process, lease: id, connections })
    return {}
  },
})

/** One that was forgotten before is over already: then nothing changes. */
export const endConnection = change({
  name: 'end-connection',
  summary: 'Say that a connection is over.',
  http: null,
  input: z.object({ lease: z.string(), reason: z.string(), process: Process }),
  output: z.object({}),
  subject: ({ lease }) => `lease:${lease}`,
  allow: operators,
  async run(context, { lease: id, process }) {
    const relay = await context.tx.relays.get(relayId(process, id))
    if (relay === undefined) return {}
    if (relay.connections === 1) await context.tx.relays.remove(relay.id)
    else await context.tx.relays.put({ ...relay, connections: relay.connections - 1 })
    await watch(context, id, (lease, terms) => disconnectLease(lease, terms, context.now))
    return {}
  },
})

/**
 * What a process relayed is gone with it. Without a process it is all that was ever counted: what holds when the only
 * router of a site has just opened, whatever was counted when the last one stopped.
 */
export const forgetConnections = change({
  name: 'forget-connections',
  summary: 'Say that no connection is left of those counted for a process, or for any.',
  http: null,
  unaudited: true,
  input: z.object({ process: z.string().optional() }),
  output: z.object({}),
  allow: operators,
  async run(context, { process }) {
    const { tx, now } = context
    const relays = await (process === undefined ? tx.relays.all() : tx.relays.find('process', process))
    for (const relay of relays) {
      await tx.relays.remove(relay.id)
      await watch(context, relay.lease, (lease, terms) => without(relay.connections, lease, terms, now))
    }
    if (process === undefined) {
      for (const lease of await tx.leases.find('state', 'connected')) {
        await watch(context, lease.id, (known, terms) => dropConnections(known, terms, now))
      }
    } else await tx.processes.remove(process)
    return {}
  },
})

function without(connections: number, lease: Lease, terms: LeaseTerms, now: string): Lease {
  let left = lease
  for (let each = 0; each < connections; each++) left = disconnectLease(left, terms, now)
  return left
}

function relayId(process: string, lease: string): string {
  return `${process} ${lease}`
}
