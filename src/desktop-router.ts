import { setTimeout as pause } from 'node:timers/promises'
import { openRouterApart } from '../broker/router/apart.ts'
import { haproxyRuntime } from '../broker/router/haproxy-runtime.ts'
import { openRouter, type Router, type RouterCounts } from '../broker/router/listener.ts'
import { type Clock, millis, systemClock } from './base/clock.ts'
import { type Duration, roughMillis } from './base/duration.ts'
import { messageOf } from './base/errors.ts'
import type { Log } from './base/log.ts'
import { persist, withDeadline } from './base/retry.ts'
import type { Config } from './config.ts'
import { system } from './identity/person.ts'
import { type DataPlane, openDataPlane } from './desktop-router/data-plane.ts'
import { openCounting } from './desktop-router/counting.ts'
import { finder } from './desktop-router/finding.ts'
import { openPresence, type Presence } from './jobs/presence.ts'
import { beginConnection, endConnection, forgetConnections } from './operations/connections.ts'
import type { Operations } from './operations/perform.ts'
import type { Site } from './operations/site.ts'
import type { Store } from './store/store.ts'

export interface DesktopRouter {
  readonly port: number
  /**
   * Cuts all connections of a lease that has ended, on whatever process they are, and says how many were here.
   * @throws Outage `deadline_passed`, transient, when another process still has some after a while.
   */
  close(lease: string, reason: string): Promise<number>
  counts(): Promise<RouterCounts>
  /** Takes no more connections, and waits until those that there are have ended, but not longer than this. */
  drain(limitMillis: number): Promise<void>
  /** Takes no more connections and cuts all. Harmless twice. */
  shutdown(): Promise<void>
}

export interface DesktopRouterServices {
  operations: Operations
  store: Store
  log: Log
  clock: Clock
  site: Site
  /** Whether connections are relayed in a thread of their own, on the system's time. */
  apart?: boolean
  /** Who we are among the processes of the site. */
  process: string
  /** How long nothing may be heard of a process before it is taken for lost. */
  holdMillis?: number
}

/** Where it listens, for whom, and how long it holds a connection while its desktop wakes. */
interface DesktopRouterRule {
  host: string
  port: number
  /** Ports that are for one terminal each. */
  morePorts: readonly number[]
  proxies?: readonly string[] | undefined
  hold?: Duration | undefined
  /** HAProxy in front, which carries sessions whose ticket is known. */
  haproxy?: { socket: string; map: string } | undefined
}

/** What a site's file says of it. Each port that is for one terminal is listened on as well. */
export function routerRule({ rdp, site }: Pick<Config, 'rdp' | 'site'>): DesktopRouterRule {
  const { host, port, proxies, hold, haproxy } = rdp
  const morePorts = site.terminals.flatMap((terminal) => (terminal.port === undefined ? [] : [terminal.port]))
  return { host, port, morePorts, proxies, hold, haproxy }
}

/** Clients give up after some ten seconds. */
const usualHoldMillis = 8_000

/** Longer than it takes to find out that a process is lost. */
const othersMillis = 20_000

/** The RDP router with our leases behind it: who a connection is for, and what becomes of a lease that it serves. */
export async function openDesktopRouter(
  rule: DesktopRouterRule,
  services: DesktopRouterServices,
): Promise<DesktopRouter> {
  const { operations, store, log, clock, process } = services
  const caller = system('router')
  const holdMillis = rule.hold === undefined ? usualHoldMillis : roughMillis(rule.hold)
  let opened: Router | undefined
  const presence = await openingPresence(services, () => opened)
  const find = finder({ operations, store, holdMillis })
  const here = new Here()
  const stopping = new AbortController()
  const began = `${process} ${clock.now()}`
  const counting = openCounting({ router: () => opened, operations, log })
  const { host, port, proxies = [] } = rule
  const morePorts = await portsOf(store, rule.morePorts)
  const router = (opened = await (services.apart === true ? openRouterApart : openRouter)({
    ...{ host, port, morePorts, proxies, holdMillis, log },
    now: clock === systemClock ? Date.now : () => millis(clock.now()),
    find: (said, source) => here.whileFinding(find(said, source)),
    connected: async (lease) => {
      here.add(lease)
      const { endsAt } = await operations.perform(beginConnection, caller, { lease, process })
      // It may have been extended while its desktop was dialled.
      await opened?.limit(lease, millis(endsAt))
    },
    disconnected: async (lease, { id, reason, traffic }) => {
      here.remove(lease)
      const end = { lease, reason, process, traffic: counting.rest(id, traffic) }
      // Nobody else would say that it is over. A store that takes nothing now is told as soon as it does; once is enough.
      const key = { idempotencyKey: `${began}-${id}` }
      await persist(() => operations.perform(endConnection, caller, end, key), {
        stop: stopping.signal,
        wait,
      })
    },
  }).catch(async (error: unknown) => {
    await presence?.stop()
    throw error
  }))
  // A lease that ends loses its connections at once, whoever ended it: its token died in the same commit.
  const unsubscribe = store.onCommit((changes) => {
    for (const { collection, id } of changes) {
      if (collection !== 'leases' || !here.has(id)) continue
      follow(router, store, id).catch((error: unknown) =>
        log.error({ lease: id, error: messageOf(error) }, 'connections not closed'),
      )
    }
  })
  counting.start()
  const plane = planeOf(rule, services)
  plane?.start()
  return {
    port: router.port,
    async close(lease, reason) {
      const cut = (await router.close(lease, reason)) + ((await plane?.close(lease)) ?? 0)
      if (store.shared) {
        await withDeadline('closing connections', othersMillis, undefined, (signal) =>
          othersGone(store, { lease, process }, signal),
        )
      }
      return cut
    },
    counts: () => router.counts(),
    drain: (limitMillis) => router.drain(limitMillis),
    async shutdown() {
      stopping.abort()
      counting.stop()
      await plane?.stop()
      await router.shutdown()
      unsubscribe()
      await presence?.stop()
    },
  }
}

function planeOf({ haproxy }: DesktopRouterRule, services: DesktopRouterServices): DataPlane | undefined {
  if (haproxy === undefined) return undefined
  return openDataPlane({ ...services, runtime: haproxyRuntime(haproxy.socket, haproxy.map) })
}

/**
 * Before the first connection: what a process relays is forgotten only where its signs of life are looked for. Where
 * nobody else is at work, whatever was counted is over.
 */
async function openingPresence(
  { store, operations, log, process, holdMillis }: DesktopRouterServices,
  router: () => Router | undefined,
): Promise<Presence | undefined> {
  if (!store.shared) {
    await operations.perform(forgetConnections, system('router'), {})
    return undefined
  }
  const forgotten = async (): Promise<void> => {
    const opened = router()
    if (opened === undefined) return
    const sessions = await opened.sessions()
    await Promise.all(sessions.map(({ lease }) => opened.close(lease, 'forgotten')))
  }
  const presence = openPresence({ store, operations, log, process, forgotten, holdMillis })
  await presence.start()
  return presence
}

async function wait(millis: number, signal: AbortSignal): Promise<void> {
  // Stopped early, there is one more try, and its failure is told.
  await pause(millis, undefined, { signal, ref: false }).catch(() => undefined)
}

/** Which leases may have connections here: those that do, and while anybody is being looked up, all. */
class Here {
  readonly #connections = new Map<string, number>()
  #finding = 0

  has(lease: string): boolean {
    return this.#finding > 0 || this.#connections.has(lease)
  }

  async whileFinding<T>(work: Promise<T>): Promise<T> {
    this.#finding += 1
    try {
      return await work
    } finally {
      this.#finding -= 1
    }
  }

  add(lease: string): void {
    this.#connections.set(lease, (this.#connections.get(lease) ?? 0) + 1)
  }

  remove(lease: string): void {
    const left = (this.#connections.get(lease) ?? 1) - 1
    if (left > 0) this.#connections.set(lease, left)
    else this.#connections.delete(lease)
  }
}

/** Does to the connections of a lease what has become of it. */
async function follow(router: Router, store: Store, id: string): Promise<void> {
  const lease = await store.read((tx) => tx.leases.get(id))
  if (lease === undefined || lease.state === 'ended') await router.close(id, 'lease_ended')
  else await router.limit(id, millis(lease.endsAt))
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

/** Ports of the site's file, and those of the registry: one that is enrolled later is listened on from the next start. */
async function portsOf(store: Store, ofFile: readonly number[]): Promise<number[]> {
  const enrolled = await store.read((tx) => tx.terminals.find('standing', 'enrolled'))
  return [...new Set([...ofFile, ...enrolled.flatMap(({ port }) => (port === null ? [] : [port]))])]
}
