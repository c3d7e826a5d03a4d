import { createServer, type Socket } from 'node:net'
import { messageOf } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import { readBuffers } from './buffers.ts'
import { type DesktopLeg, liveliness } from './desktop-leg.ts'
import { outcomeOf, reachDesktop, readGreeting, stillWanted, turnAway } from './dial.ts'
import type { Greeting } from './greeting.ts'
import { keepLimits } from './limits.ts'
import { matcher } from '../networks.ts'
import { listenAll, stopListening } from './ports.ts'
import { relay, type Traffic } from './relay.ts'
import {
  type Connection,
  type Found,
  openSessions,
  type Session,
  type Source,
  type Target,
} from './sessions.ts'

/** What a greeting says of whom it is for. */
export type Said = Pick<Greeting, 'routingToken' | 'mstshash' | 'pcb' | 'requestedProtocols'>

export interface ConnectionInfo {
  id: number
  source: Source
  target: Target
}

export interface ConnectionEnd {
  id: number
  reason: string
  traffic: Traffic
}

/** How a router listens and waits: plain data. */
export interface RouterSettings {
  host: string
  /** 0 takes any free port. */
  port: number
  /** Ports that are listened on as well: who dials one is known by it. */
  morePorts?: readonly number[]
  /** Addresses and networks (`10.1.0.0/24`) of proxies that say whom they speak for (PROXY protocol, version 2). */
  proxies?: readonly string[]
  /** How long a client may take for its first packet. mstsc itself gives up after about 10 s. */
  greetingMillis?: number
  connectMillis?: number
  /** For how long a desktop that does not answer yet is dialled again. */
  holdMillis?: number
  /** How long one side may be silent after the other has ended. */
  lingerMillis?: number
  /** How many clients may be silent at a time; the next one is turned away. */
  mostSilent?: number
}

/** Whom a router asks and tells. */
export interface RouterOwner {
  /** Who a greeting is for. @throws Refusal when it is for nobody; its code is the reason that is counted. */
  find: (said: Said, source: Source) => Promise<Found>
  /**
   * A client has reached its desktop. Awaited before a byte is passed on, and in order for each lease: a Refusal
   * (the lease has just ended) turns the client away.
   */
  connected: (lease: string, connection: ConnectionInfo) => Promise<void>
  /**
   * A connection that `connected` took is over. Comes once for each, in order for each lease. `reason` is
   * `client_closed`, `client_lost`, `desktop_closed`, `desktop_lost`, `idle`, `lease_ended`, `shutdown`, or what `close`
   * was given.
   */
  disconnected: (lease: string, end: ConnectionEnd) => Promise<void>
  log: Log
  /** Milliseconds since 1970. */
  now: () => number
}

export type RouterOptions = RouterSettings & RouterOwner

export interface RouterCounts {
  /** Connections now, also those that have not said yet what they want. */
  open: number
  /** How dials came out since the start: `relayed`, or the reason why not. */
  outcomes: Record<string, number>
}

export interface Router {
  readonly address: string
  readonly port: number
  /**
   * Cuts all connections of a lease, at once; resolves when their sockets are closed, with how many connections there
   * were. The caller makes its token dead first, because clients dial again within milliseconds. A dial that is under
   * way is cut as well, whatever `find` answers it.
   */
  close(lease: string, reason: string): Promise<number>
  /** The end of a lease has moved: its connections last until then, in milliseconds since 1970. */
  limit(lease: string, endsAt: number | null): Promise<void>
  sessions(): Promise<Session[]>
  counts(): Promise<RouterCounts>
  /** Takes no more connections, and waits until those that there are have ended, but not longer than this. */
  drain(limitMillis: number): Promise<void>
  /** Takes no more connections, cuts all, and waits until `disconnected` was told of each. Harmless twice. */
  shutdown(): Promise<void>
}

/**
 * Opens the RDP router: it reads whom a connection is for, connects to the desktop and copies bytes both ways.
 * @throws Outage `router_cannot_listen` when the address cannot be had.
 */
export async function openRouter(options: RouterOptions): Promise<Router> {
  const { log, now, greetingMillis = 10_000, connectMillis = 5_000, lingerMillis = 10_000 } = options
  const { holdMillis = 0, mostSilent = 4096 } = options
  const sessions = openSessions()
  const isProxy = matcher(options.proxies ?? [])
  const dialling = { buffers: readBuffers(), connectMillis, holdMillis }
  const outcomes = new Map<string, number>()
  const count = (outcome: string) => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  let silent = 0

  async function serve(client: Socket): Promise<void> {
    if (silent >= mostSilent) {
      count('overloaded')
      client.on('error', () => undefined).destroy()
      return
    }
    const connection = sessions.begin(client)
    client.on('error', (error) => log.debug({ id: connection.id, error: error.message }, 'rdp client failed'))
    let greeting: Greeting | undefined
    try {
      greeting = await greetingOf(connection)
      await session(connection, greeting, await reach(connection, greeting))
    } catch (error) {
      const outcome = connection.cut ?? outcomeOf(error)
      count(outcome)
      log[outcome === 'failed' ? 'error' : outcome === 'health_check' ? 'debug' : 'info'](
        { ...connection.source, outcome, detail: messageOf(error) },
        'rdp connection refused',
      )
      connection.desktop?.socket.destroy()
      await turnAway(client, greeting)
    } finally {
      sessions.finish(connection)
    }
  }

  async function greetingOf(connection: Connection): Promise<Greeting> {
    silent += 1
    try {
      const proxied = isProxy(connection.source.address)
      const opening = await readGreeting(connection.client, { limitMillis: greetingMillis, proxied })
      if (opening.from !== null) connection.source = opening.from
      return opening.greeting
    } finally {
      silent -= 1
    }
  }

  /** From a greeting to a desktop that has answered. */
  async function reach(connection: Connection, greeting: Greeting): Promise<Reached> {
    const { routingToken, mstshash, pcb, requestedProtocols } = greeting
    const said = { routingToken, mstshash, pcb, requestedProtocols }
    const { lease, target } = await sessions.assign(connection, options.find(said, connection.source))
    stillWanted(connection)
    const desktop = await reachDesktop(connection, target, dialling)
    stillWanted(connection)
    const info = { id: connection.id, source: connection.source, target }
    await sessions.inOrder(lease, () => options.connected(lease, info))
    count('relayed')
    return { lease, desktop }
  }

  /** From the first byte that is passed on to the last. Whatever comes in between, its end is told. */
  async function session(
    connection: Connection,
    { request, rest }: Greeting,
    { lease, desktop }: Reached,
  ): Promise<void> {
    const { client, traffic } = connection
    const opening = connection.cut === null ? [request, rest].filter(({ length }) => length > 0) : []
    const stop = keepLimits(connection, now, (reason) => void sessions.cut(connection, reason))
    const reason = await relay(client, desktop, opening, { lingerMillis, now, traffic })
    stop()
    const end = { id: connection.id, reason: connection.cut ?? reason, traffic }
    await sessions
      .inOrder(lease, () => options.disconnected(lease, end))
      .catch((error: unknown) =>
        log.error({ lease, ...end, error: messageOf(error) }, 'rdp end not recorded'),
      )
  }

  const ports = [options.port, ...(options.morePorts ?? [])]
  const servers = ports.map(() =>
    createServer({ ...liveliness, allowHalfOpen: true }, (client) => void serve(client)),
  )
  const bound = await listenAll(servers, options.host, ports)
  for (const server of servers) {
    server.on('error', (error) => log.error({ error: error.message }, 'rdp listener failed'))
  }

  return {
    ...bound,
    close: (lease, reason) => sessions.close(lease, reason),
    limit: async (lease, endsAt) => sessions.limit(lease, endsAt),
    sessions: async () => sessions.list(),
    counts: async () => ({ open: sessions.size(), outcomes: Object.fromEntries(outcomes) }),
    async drain(limitMillis) {
      const closed = stopListening(servers)
      const timeout = new AbortController()
      await Promise.race([sessions.empty(), after(limitMillis, timeout.signal)])
      timeout.abort()
      if (sessions.size() === 0) await closed
    },
    async shutdown() {
      const closed = stopListening(servers)
      await sessions.closeAll('shutdown')
      await closed
    },
  }
}

interface Reached {
  lease: string
  desktop: DesktopLeg
}

function after(limitMillis: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limitMillis)
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })
}
