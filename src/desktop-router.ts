import { openRouter, type Router } from '../broker/router/listener.ts'
import { ticketIn } from '../broker/ticket.ts'
import { refuse } from './base/errors.ts'
import type { Log } from './base/log.ts'
import { system } from './identity/person.ts'
import { beginConnection, endConnection, forgetConnections } from './operations/connections.ts'
import type { Operations } from './operations/perform.ts'
import { redeemTicket } from './operations/redeem-ticket.ts'
import type { Store } from './store/store.ts'

/** The RDP router with our leases behind it: who a connection is for, and what becomes of a lease that it serves. */
export async function openDesktopRouter(
  where: { host: string; port: number },
  { operations, store, log }: { operations: Operations; store: Store; log: Log },
): Promise<Router> {
  const caller = system('router')
  await operations.perform(forgetConnections, caller, {})
  const router = await openRouter({
    host: where.host,
    port: where.port,
    log,
    find: async (greeting) => {
      const ticket = ticketIn(greeting.routingToken) ?? ticketIn(greeting.pcb)
      if (ticket === undefined) refuse('unknown_ticket', 'The connection carries no ticket of ours.')
      return operations.perform(redeemTicket, caller, { ticket })
    },
    connected: async (lease) => {
      await operations.perform(beginConnection, caller, { lease })
    },
    disconnected: async (lease, { reason }) => {
      await operations.perform(endConnection, caller, { lease, reason })
    },
  })
  // A lease that ends loses its connections at once, whoever ended it: its token died in the same commit.
  store.onCommit((changes) => {
    const relayed = new Set(router.sessions().map(({ lease }) => lease))
    for (const { collection, id } of changes) {
      if (collection === 'leases' && relayed.has(id)) {
        closeIfEnded(router, store, id).catch((error: unknown) =>
          log.error({ lease: id, error }, 'connections not closed'),
        )
      }
    }
  })
  return router
}

async function closeIfEnded(router: Router, store: Store, id: string): Promise<void> {
  const lease = await store.read((tx) => tx.leases.get(id))
  if (lease === undefined || lease.state === 'ended') await router.close(id, 'lease_ended')
}
