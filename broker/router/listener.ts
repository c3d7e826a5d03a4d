import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { assert, messageOf, Outage } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import { liveliness, outcomeOf, reachDesktop, readGreeting, stillWanted, turnAway } from './dial.ts'
import type { Greeting } from './greeting.ts'
import { relay } from './relay.ts'
import {
  type Connection,
  type Found,
  openSessions,
  type Session,
  type Source,
  type Target,
} from './sessions.ts'

export interface ConnectionInfo {
  id: number
  source: Source
  target: Target
}

export interface RouterOptions {
  host: string
  /** 0 takes any free port. */
  port: number
  /** Who a greeting is for. @throws Refusal when it is for nobody; its code is the reason that is counted. */
  find: (greeting: Greeting, source: Source) => Promise<Found>
  /**
   * A client has reached its desktop. Awaited before a byte is passed on, and in order for each lease: a Refusal
   * (the lease has just ended) turns the client away.
   */
  connected: (lease: string, connection: ConnectionInfo) => Promise<void>
  /**
   * A connection that `connected` took is over. Comes once for each, in order for each lease. `reason` is
   * `client_closed`, `client_lost`, `desktop_closed`, `desktop_lost`, `shutdown`, or what `close` was given.
   */
  disconnected: (lease: string, end: { id: number; reason: string }) => Promise<void>
  log: Log
  /** How long a client may take for its first packet. mstsc itself gives up after about 10 s. */
  greetingMillis?: number
  connectMillis?: number
  /** How long one side may be silent after the other has ended. */
  lingerMillis?: number
}

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
  sessions(): Session[]
  counts(): RouterCounts
  /** Takes no more connections, cuts all, and waits until `disconnected` was told of each. Harmless twice. */
  shutdown(): Promise<void>
}

/**
 * Opens the RDP router: it reads whom a connection is for, connects to the desktop and copies bytes both ways.
 * @throws Outage `router_cannot_listen` when the address cannot be had.
 */
export async function openRouter(options: RouterOptions): Promise<Router> {
  const { log, greetingMillis = 10_000, connectMillis = 5_000, lingerMillis = 10_000 } = options
  const sessions = openSessions()
  const outcomes = new Map<string, number>()
  const count = (outcome: string) => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)

  async function serve(client: Socket): Promise<void> {
    const connection = sessions.begin(client)
    client.on('error', (error) => log.debug({ id: connection.id, error: error.message }, 'rdp client failed'))
    let greeting: Greeting | undefined
    try {
      greeting = await readGreeting(client, greetingMillis)
      await session(connection, greeting, await reach(connection, greeting))
    } catch (error) {
      const outcome = connection.cut ?? outcomeOf(error)
      count(outcome)
      log[outcome === 'failed' ? 'error' : 'info'](
        { ...connection.source, outcome, detail: messageOf(error) },
        'rdp connection refused',
      )
      connection.desktop?.destroy()
      await turnAway(client, greeting)
    } finally {
      sessions.finish(connection)
    }
  }

  /** From a greeting to a desktop that has answered. */
  async function reach(connection: Connection, greeting: Greeting): Promise<Reached> {
    const found = options.find(greeting, connection.source)
    const { lease, target } = await sessions.assign(connection, found)
    stillWanted(connection)
    const desktop = await reachDesktop(connection, target, connectMillis)
    stillWanted(connection)
    const info = { id: connection.id, source: connection.source, target }
    await sessions.inOrder(lease, () => options.connected(lease, info))
    count('relayed')
    return { lease, desktop }
  }

  /** From the first byte that is passed on to the last. Whatever comes in between, its end is told. */
  async function session(
    connection: Connection,
    greeting: Greeting,
    { lease, desktop }: Reached,
  ): Promise<void> {
    if (connection.cut === null) {
      desktop.write(greeting.request)
      if (greeting.rest.length > 0) desktop.write(greeting.rest)
    }
    const reason = await relay(connection.client, desktop, lingerMillis)
    const end = { id: connection.id, reason: connection.cut ?? reason }
    await sessions
      .inOrder(lease, () => options.disconnected(lease, end))
      .catch((error: unknown) =>
        log.error({ lease, ...end, error: messageOf(error) }, 'rdp end not recorded'),
      )
  }

  const server = createServer({ ...liveliness, allowHalfOpen: true }, (client) => void serve(client))
  const bound = await listen(server, options)
  server.on('error', (error) => log.error({ error: error.message }, 'rdp listener failed'))

  return {
    ...bound,
    close: (lease, reason) => sessions.close(lease, reason),
    sessions: () => sessions.list(),
    counts: () => ({ open: sessions.size(), outcomes: Object.fromEntries(outcomes) }),
    async shutdown() {
      const closed = server.listening ? once(server, 'close') : undefined
      server.close()
      await sessions.closeAll('shutdown')
      await closed
    },
  }
}

interface Reached {
  lease: string
  desktop: Socket
}

async function listen(
  server: Server,
  where: { host: string; port: number },
): Promise<{ address: string; port: number }> {
  try {
    server.listen({ host: where.host, port: where.port })
    await once(server, 'listening')
  } catch (cause) {
    const detail = `The RDP router cannot listen on ${where.host}:${where.port}: ${messageOf(cause)}`
    throw new Outage('router_cannot_listen', detail, { transient: false, cause })
  }
  const bound = server.address()
  assert(bound !== null && typeof bound === 'object', 'a TCP listener has an address and a port')
  return { address: bound.address, port: bound.port }
}
