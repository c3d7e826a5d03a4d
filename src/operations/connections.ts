import { z } from 'zod'
import {
  addTraffic,
  connectLease,
  disconnectLease,
  dropConnections,
  type Lease,
  type LeaseTraffic,
} from '../../broker/lease.ts'
import { type LeaseTerms, termsOf } from '../../broker/lease-terms.ts'
import { notFound } from '../base/errors.ts'
import { redrawCards } from '../jobs/outbox.ts'
import { finishLease, poolNamed } from './desktops.ts'
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

const Traffic = z.object({
  toDesktop: z.number(),
  toClient: z.number(),
  firstByteAt: z.string().nullable(),
  lastByteAt: z.string().nullable(),
  lastInputAt: z.string().nullable(),
})

/** Applies what a router saw to a lease. Gives it back as it is then; nothing when there is no such lease. */
async function watch(
  context: Context,
  id: string,
  step: (lease: Lease, terms: LeaseTerms) => Lease,
): Promise<Lease | undefined> {
  const { tx, site } = context
  const lease = await tx.leases.get(id)
  if (lease === undefined) return undefined
  const next = step(lease, termsOf(poolNamed(site, lease.pool), site.timezone))
  await tx.leases.put(next)
  await redrawCards(context, `lease:${id}`)
  return next
}

export const beginConnection = change({
  name: 'begin-connection',
  summary: 'Say that a client has reached its desktop.',
  http: null,
  input: z.object({ lease: z.string(), process: Process }),
  output: z.object({ endsAt: z.string() }),
  subject: ({ lease }) => `lease:${lease}`,
  allow: operators,
  async run(context, { lease: id, process }) {
    const lease = await watch(context, id, (known, terms) => connectLease(known, terms, context.now))
    if (lease === undefined) throw notFound('lease', id)
    const relay = await context.tx.relays.get(relayId(process, id))
    const connections = (relay?.connections ?? 0) + 1
    await context.tx.relays.put({ id: relayId(process, id), process, lease: id, connections })
    return { endsAt: lease.endsAt }
  },
})

/** One that was forgotten before is over already: then nothing changes. */
export const endConnection = change({
  name: 'end-connection',
  summary: 'Say that a connection is over.',
  http: null,
  input: z.object({
    lease: z.string(),
    reason: z.string(),
    process: Process,
    /** What has passed since `note-traffic` was last told. */
    traffic: Traffic.optional(),
  }),
  output: z.object({}),
  subject: ({ lease }) => `lease:${lease}`,
  allow: operators,
  async run(context, { lease: id, process, reason, traffic }) {
    if (traffic !== undefined) await count(context, id, traffic)
    const relay = await context.tx.relays.get(relayId(process, id))
    if (relay === undefined) return {}
    if (relay.connections === 1) await context.tx.relays.remove(relay.id)
    else await context.tx.relays.put({ ...relay, connections: relay.connections - 1 })
    await watch(context, id, (lease, terms) => disconnectLease(lease, terms, context.now))
    const left = await context.tx.leases.get(id)
    // Nobody was at it for as long as the pool allows: that ends the lease, and not only the connection.
    if (reason === 'idle' && left?.connections === 0) await finishLease(context, left, 'idle')
    return {}
  },
})

export const noteTraffic = change({
  name: 'note-traffic',
  summary: 'Say what has passed in connections that go on.',
  http: null,
  unaudited: true,
  input: z.object({ passed: z.array(z.object({ lease: z.string(), traffic: Traffic })) }),
  output: z.object({}),
  allow: operators,
  async run(context, { passed }) {
    for (const { lease, traffic } of passed) await count(context, lease, traffic)
    return {}
  },
})

/** Also for a lease that has ended: its last connections are cut after that. */
async function count({ tx }: Context, id: string, traffic: LeaseTraffic): Promise<void> {
  const lease = await tx.leases.get(id)
  if (lease !== undefined) await tx.leases.put(addTraffic(lease, traffic))
}

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
