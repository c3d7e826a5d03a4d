import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { DesktopLeg } from './desktop-leg.ts'
import { noTraffic, type Traffic } from './relay.ts'

/** Where a client dials from, and which of our ports it dialled. Where a trusted proxy stands before us, it says so. */
export interface Source {
  address: string
  port: number
  localPort: number
}

export interface Target {
  host: string
  port: number
}

/** Whom a connection is for, and how long it may last whatever else happens. */
export interface Found {
  lease: string
  target: Target
  /** When its lease ends, in milliseconds since 1970; null when nothing limits it. */
  endsAt?: number | null
  /** How long its client may be silent; null for as long as it likes. */
  idleMillis?: number | null
}

/** One client's connection, from its first byte to its last. */
export interface Connection {
  readonly id: number
  source: Source
  readonly client: Socket
  desktop: DesktopLeg | null
  found: Found | null
  readonly traffic: Traffic
  /** Why it was cut from our side, if it was. */
  cut: string | null
  /** Called when its limits have changed. */
  limitsMoved: () => void
}

/** A connection that is being relayed, or about to be. */
export interface Session extends Found {
  id: number
  source: Source
  traffic: Traffic
}

/** The connections of one router: who holds which lease, and in what order their comings and goings are told. */
export interface Sessions {
  begin(client: Socket): Connection
  /** Ties a connection to the lease that is found for it. If that was closed meanwhile, the connection is cut. */
  assign(connection: Connection, finding: Promise<Found>): Promise<Found>
  /** Forgets a connection that is over. */
  finish(connection: Connection): void
  /** Runs work about a lease after all earlier work about the same lease. */
  inOrder<T>(lease: string, work: () => Promise<T>): Promise<T>
  /** Destroys the sockets of a lease, at once; resolves when they are closed, with the number of connections cut. */
  close(lease: string, reason: string): Promise<number>
  /** The end of a lease has moved. */
  limit(lease: string, endsAt: number | null): void
  /** Destroys one connection. */
  cut(connection: Connection, reason: string): Promise<void>
  /** Destroys everything; resolves when all that was to be told has been told. */
  closeAll(reason: string): Promise<void>
  /** Resolves when there is no connection left. */
  empty(): Promise<void>
  list(): Session[]
  size(): number
}

/** What happened to leases while a look-up was under way: it may have seen them as they were before. */
interface Meanwhile {
  closed: Map<string, string>
  ends: Map<string, number | null>
}

export function openSessions(): Sessions {
  const all = new Set<Connection>()
  const lookups = new Set<Meanwhile>()
  const byLease = new Map<string, Set<Connection>>()
  const queues = new Map<string, Promise<unknown>>()
  const emptied: (() => void)[] = []
  let lastId = 0

  function begin(client: Socket): Connection {
    const connection: Connection = {
      id: ++lastId,
      source: {
        address: client.remoteAddress ?? '',
        port: client.remotePort ?? 0,
        localPort: client.localPort ?? 0,
      },
      client,
      desktop: null,
      found: null,
      traffic: noTraffic(),
      cut: null,
      limitsMoved: noop,
    }
    all.add(connection)
    return connection
  }

  async function assign(connection: Connection, finding: Promise<Found>): Promise<Found> {
    const meanwhile: Meanwhile = { closed: new Map(), ends: new Map() }
    lookups.add(meanwhile)
    try {
      const answer = await finding
      const { lease } = answer
      const moved = meanwhile.ends.get(lease)
      const found = moved === undefined ? answer : { ...answer, endsAt: moved }
      connection.found = found
      const peers = byLease.get(lease) ?? new Set<Connection>()
      byLease.set(lease, peers.add(connection))
      const closed = meanwhile.closed.get(lease)
      if (closed !== undefined) void cut(connection, closed)
      return found
    } finally {
      lookups.delete(meanwhile)
    }
  }

  function finish(connection: Connection): void {
    all.delete(connection)
    const lease = connection.found?.lease ?? ''
    const peers = byLease.get(lease)
    peers?.delete(connection)
    if (peers?.size === 0) byLease.delete(lease)
    if (all.size === 0) emptied.splice(0).forEach((wake) => wake())
  }

  function inOrder<T>(lease: string, work: () => Promise<T>): Promise<T> {
    const mine = (queues.get(lease) ?? Promise.resolve()).then(work)
    const settled: Promise<unknown> = mine.then(noop, noop).then(() => {
      if (queues.get(lease) === settled) queues.delete(lease)
    })
    queues.set(lease, settled)
    return mine
  }

  async function close(lease: string, reason: string): Promise<number> {
    // Whoever is still being looked up may turn out to be for this lease: a dial cannot outrun the cut.
    for (const { closed } of lookups) closed.set(lease, reason)
    const connections = [...(byLease.get(lease) ?? [])].filter((connection) => connection.cut === null)
    await Promise.all(connections.map((connection) => cut(connection, reason)))
    return connections.length
  }

  function limit(lease: string, endsAt: number | null): void {
    for (const { ends } of lookups) ends.set(lease, endsAt)
    for (const connection of byLease.get(lease) ?? []) {
      if (connection.found !== null) connection.found = { ...connection.found, endsAt }
      connection.limitsMoved()
    }
  }

  async function empty(): Promise<void> {
    if (all.size > 0) await new Promise<void>((resolve) => emptied.push(resolve))
    await Promise.all(queues.values())
  }

  async function closeAll(reason: string): Promise<void> {
    for (const connection of all) void cut(connection, reason)
    await empty()
  }

  return {
    begin,
    assign,
    finish,
    inOrder,
    close,
    limit,
    cut,
    closeAll,
    empty,
    list: () =>
      [...all].flatMap(({ id, source, found, traffic }) =>
        found === null ? [] : [{ id, source, ...found, traffic: { ...traffic } }],
      ),
    size: () => all.size,
  }
}

/** Cuts both sides of a connection; resolves when both sockets are closed. */
async function cut(connection: Connection, reason: string): Promise<void> {
  connection.cut ??= reason
  const sockets = [connection.client, connection.desktop?.socket].filter((socket) => socket !== undefined)
  await Promise.all(sockets.map(destroyed))
}

async function destroyed(socket: Socket): Promise<void> {
  if (socket.closed) return
  const closed = once(socket, 'close')
  socket.destroy()
  await closed
}

function noop(): void {
  // The order is kept whether or not the work before succeeded; its caller hears of that.
}
