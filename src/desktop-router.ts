import { openRouter, type Router } from '../broker/router/listener.ts'
import { ticketIn } from '../broker/ticket.ts'
import { messageOf, refuse } from './base/errors.ts'
import type { Log } from './base/log.ts'
import { withDeadline } from './base/retry.ts'
import { system } from './identity/person.ts'
import { openPresence } from './jobs/presence.ts'
import { beginConnection, endConnection, forgetConnections } from './operations/connections.ts'
import type { Operations } from './operations/perform.ts'
import { redeemTicket } from './operations/redeem-ticket.ts'
import type { Store } from './store/store.ts'

export interface DesktopRouter {
  readonly port: number
  /**
   * Cuts all connections of a lease that has ended, on whatever process they are, and says how many were here.
   * @throws Outage `deadline_passed`, transient, when another process still has some after a while.
   */
  close(lease: string, reason: string): Promise<number>
  /** Takes no more connections and cuts all. Harmless twice. */
  shutdown(): Promise<void>
}

export interface DesktopRouterServices {
  operations: Operations
  store: Store
  log: Log
  /** Who we are among the processes of the site. */
  process: string
  /** How long nothing may be heard of a process before it is taken for lost. */
  holdMillis?: number
}

/** Longer than it takes to find out that a process is lost. */
const othersMillis = 20_000

/** The RDP router with our leases behind it: who a connection is for, and what becomes of a lease that it serves. */
export async function openDesktopRouter(
  where: { host: string; port: number },
  { operations, store, log, process, holdMillis }: DesktopRouterServices,
): Promise<DesktopRouter> {
  const caller = system('router')
  let opened: Router | undefined
  async function cutAll(reason: string): Promise<void> {
    const router = opened
    if (router === undefined) return
    const sessions = await router.sessions()
    await Promise.all(sessions.map(({ lease }) => router.close(lease, reason)))
  }
  const forgotten = () => cutAll('forgotten')
  const presence = store.shared
    ? openPresence({ store, operations, log, process, forgotten, holdMillis })
    : undefined
  // Before the first connection: what a process relays is forgotten only where its signs of life are looked for.
  if (presence === undefined) await operations.perform(forgetConnections, caller, {})
  else await presence.start()
  const router = (opened = await openRouter({
    host: where.host,
    port: where.port,
    log,
    now: Date.now,
    find: async (greeting) => {
      const ticket = ticketIn(greeting.routingToken) ?? ticketIn(greeting.pcb)
      if (ticket === undefined) refuse('unknown_ticket', 'The connection carries no ticket of ours.')
      return operations.perform(redeemTicket, caller, { ticket })
    },
    connected: async (lease) => {
      await operations.perform(beginConnection, caller, { lease, process })
    },
    disconnected: async (lease, { reason }) => {
      await operations.perform(endConnection, caller, { lease, reason, process })
    },
  }).catch(async (error: unknown) => {
    await presence?.stop()
    throw error
  }))
  // A lease that ends loses its connections at once, whoever ended it: its token died in the same commit.
  store.onCommit((changes) => {
    for (const { collection, id } of changes) {
      if (collection !== 'leases') continue
      closeIfEnded(router, store, id).catch((error: unknown) =>
        log.error({ lease: id, error: messageOf(error) }, 'connections not closed'),
      )
    }
  })
  return {
    port: router.port,
    async close(lease, reason) {
      const cut = await router.close(lease, reason)
      if (store.shared) {
        await withDeadline('closing connections', othersMillis, undefined, (signal) =>
          othersGone(store, { lease, process }, signal),
        )
      }
      return cut
    },
    async shutdown() {
      await router.shutdown()
      await presence?.stop()
    },
  }
}

async function closeIfEnded(router: Router, store: Store, id: string): Promise<void> {
  const lease = await store.read((tx) => tx.leases.get(id))
  if (lease === undefined || lease.state === 'ended') await router.close(id, 'lease_ended')
}

/** Resolves once no other process relays anything for a lease. */
async function othersGone(
  store: Store,
  { lease, process }: { lease: string; process: string },
  signal: AbortSignal,
): Promise<void> {
  const areGone = async (): Promise<boolean> => {
    const relays = await store.read((tx) => tx.relays.find('lease', lease))
    return relays.every((relay) => relay.process === process)
  }
  const stop = new AbortController()
  try {
    await new Promise<void>((resolve, reject) => {
      const look = () => void areGone().then((yes) => yes && resolve(), reject)
      const unsubscribe = store.onCommit((changes) => {
        if (changes.some(({ collection }) => collection === 'relays')) look()
      })
      AbortSignal.any([signal, stop.signal]).addEventListener('abort', unsubscribe, { once: true })
      look()
    })
  } finally {
    stop.abort()
  }
}
