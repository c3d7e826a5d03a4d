import { isIP } from 'node:net'
import { accepts } from '../../broker/asker.ts'
import type { Lease } from '../../broker/lease.ts'
import { mapValue } from '../../broker/router/haproxy.ts'
import type { HaproxyRuntime } from '../../broker/router/haproxy-runtime.ts'
import type { Target } from '../../broker/router/sessions.ts'
import { ticketFor } from '../../broker/ticket.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { system } from '../identity/person.ts'
import { beginConnection, endConnection } from '../operations/connections.ts'
import type { Operations } from '../operations/perform.ts'
import type { Site } from '../operations/site.ts'
import type { ReadTransaction, Store } from '../store/store.ts'

export interface DataPlaneServices {
  runtime: HaproxyRuntime
  store: Store
  operations: Operations
  site: Site
  log: Log
  /** Who we are among the processes of the site. What HAProxy carries is counted as ours. */
  process: string
}

/** HAProxy in front of our router, kept in step with the leases. */
export interface DataPlane {
  /** Brings its map and our counts in step with everything; done again and again, and after each fault. */
  step(): Promise<void>
  /** Takes a lease out of its map and ends its sessions. Says how many there were. */
  close(lease: string): Promise<number>
  start(): void
  stop(): Promise<void>
}

const paceMillis = 2_000

interface Entry {
  lease: string
  ticket: string
  target: Target
}

export function openDataPlane(services: DataPlaneServices): DataPlane {
  const { runtime, store, operations, log, process } = services
  const caller = system('router')
  /** Where leases lead that HAProxy knows, so that their sessions are found once the lease is over. */
  const known = new Map<string, Entry>()
  const carried = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let last: Promise<unknown> = Promise.resolve()

  /** One thing at a time: what is written follows the order of what was seen. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = last.then(work)
    last = mine.catch((error: unknown) => log.warn({ error: messageOf(error) }, 'haproxy not in step'))
    return mine
  }

  async function step(): Promise<void> {
    const wanted = await store.read((tx) => entriesOf(tx, services.site))
    const standing = await runtime.tickets()
    const changes = new Map<string, Target | null>()
    const tickets = new Set(wanted.map(({ ticket }) => ticket))
    for (const ticket of standing.keys()) if (!tickets.has(ticket)) changes.set(ticket, null)
    for (const { ticket, target } of wanted) {
      if (standing.get(ticket) !== mapValue(target)) changes.set(ticket, target)
    }
    await runtime.change(changes)
    for (const entry of wanted) known.set(entry.lease, entry)
    const open = new Set(wanted.map(({ lease }) => lease))
    for (const lease of [...known.keys()]) if (!open.has(lease)) await cut(lease)
    await count()
  }

  /** Tells leases of connections that have come and gone since it was last looked. */
  async function count(): Promise<void> {
    const sessions = await runtime.sessions()
    for (const { lease, target } of known.values()) {
      const now = sessions.filter(({ desktop }) => desktop === mapValue(target)).length
      await tell(lease, now)
    }
  }

  async function tell(lease: string, now: number): Promise<void> {
    const before = carried.get(lease) ?? 0
    carried.set(lease, now)
    for (let each = before; each < now; each++) {
      await operations.perform(beginConnection, caller, { lease, process })
    }
    for (let each = now; each < before; each++) {
      await operations.perform(endConnection, caller, { lease, process, reason: 'client_closed' })
    }
  }

  /** First the ticket, then the sessions: a client that dials again finds nothing. */
  async function cut(lease: string): Promise<number> {
    const entry = known.get(lease)
    if (entry === undefined) return 0
    await runtime.change(new Map([[entry.ticket, null]]))
    const there = (await runtime.sessions()).filter(({ desktop }) => desktop === mapValue(entry.target))
    await runtime.shutdown(there.map(({ id }) => id))
    await tell(lease, 0)
    known.delete(lease)
    carried.delete(lease)
    return there.length
  }

  const again = () => void inTurn(step).catch(() => undefined)
  const unsubscribe = store.onCommit((changes) => {
    if (changes.some(({ collection }) => collection === 'leases')) again()
  })
  return {
    step: () => inTurn(step),
    close: (lease) => inTurn(() => cut(lease)),
    start: () => (timer = setInterval(again, paceMillis).unref()),
    async stop() {
      clearInterval(timer)
      unsubscribe()
      await last
    },
  }
}

/** Every lease that a client may dial by its ticket now. HAProxy goes to addresses: desktops known by name are left to us. */
async function entriesOf(tx: ReadTransaction, site: Site): Promise<Entry[]> {
  const key = (await tx.secrets.get('ticket-key'))?.value
  if (key === undefined) return []
  const states = ['offered', 'connected', 'disconnected'] as const
  const leases = (await Promise.all(states.map((state) => tx.leases.find('state', state)))).flat()
  const entries = await Promise.all(leases.map((lease) => entryOf(tx, site, lease, key)))
  return entries.filter((entry) => entry !== undefined)
}

async function entryOf(
  tx: ReadTransaction,
  site: Site,
  lease: Lease,
  key: string,
): Promise<Entry | undefined> {
  const pool = site.pools.find(({ name }) => name === lease.pool)
  const machine = lease.desktop === null ? undefined : await tx.machines.get(lease.desktop)
  const target = machine?.rdp ?? null
  if (!accepts(pool, 'ticket') || target === null || isIP(target.host) === 0) return undefined
  return { lease: lease.id, ticket: ticketFor(key, lease), target }
}
