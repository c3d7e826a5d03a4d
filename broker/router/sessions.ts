import { once } from 'node:events'
import type { Socket } from 'node:net'

/** Where a client dials from, and which of our ports it dialled. */
export interface Source {
  address: string
  port: number
  localPort: number
}

export interface Target {
  host: string
  port: number
}

/** Whom a connection is for. */
export interface Found {
  lease: string
  target: Target
}

/** One client's connection, from its first byte to its last. */
export interface Connection {
  readonly id: number
  readonly source: Source
  readonly client: Socket
  desktop: Socket | null
  found: Found | null
  /** Why it was cut from our side, if it was. */
  cut: string | null
}

/** A connection that is being relayed, or about to be. */
export interface Session extends Found {
  id: number
  source: Source
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
  /** Destroys everything; resolves when all that was to be told has been told. */
  closeAll(reason: string): Promise<void>
  list(): Session[]
  size(): number
}

export function openSessions(): Sessions {
  const all = new Set<Connection>()
  /** For each look-up under way: the leases that were closed since it began, with the reason. */
  const lookups = new Set<Map<string, string>>()
  const byLease = new Map<string, Set<Connection>>()
  const queues = new Map<string, Promise<unknown>>()
  const idle: (() => void)[] = []
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
      cut: null,
    }
    all.add(connection)
    return connection
  }

  async function assign(connection: Connection, finding: Promise<Found>): Promise<Found> {
    const closedMeanwhile = new Map<string, string>()
    lookups.add(closedMeanwhile)
    try {
      const found = await finding
      connection.found = found
      const peers = byLease.get(found.lease) ?? new Set<Connection>()
      byLease.set(found.lease, peers.add(connection))
      const closed = closedMeanwhile.get(found.lease)
      if (closed !== undefined) void cut(connection, closed)
      return found
    } finally {
      lookups.delete(closedMeanwhile)
    }
  }

  function finish(connection: Connection): void {
    all.delete(connection)
    const lease = connection.found?.lease ?? ''
    const peers = byLease.get(lease)
    peers?.delete(connection)
    if (peers?.size === 0) byLease.delete(lease)
    if (all.size === 0) idle.splice(0).forEach((wake) => wake())
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
    for (const closedMeanwhile of lookups) closedMeanwhile.set(lease, reason)
    const connections = [...(byLease.get(lease) ?? [])].filter((connection) => connection.cut === null)
    await Promise.all(connections.map((connection) => cut(connection, reason)))
    return connections.length
  }

  async function closeAll(reason: string): Promise<void> {
    for (const connection of all) void cut(connection, reason)
    if (all.size > 0) await new Promise<void>((resolve) => idle.push(resolve))
    await Promise.all(queues.values())
  }

  return {
    begin,
    assign,
    finish,
    inOrder,
    close,
    closeAll,
    list: () =>
      [...all].flatMap(({ id, source, found }) => (found === null ? [] : [{ id, source, ...found }])),
    size: () => all.size,
  }
}

/** Cuts both sides of a connection; resolves when both sockets are closed. */
async function cut(connection: Connection, reason: string): Promise<void> {
  connection.cut ??= reason
  const sockets = [connection.client, connection.desktop].filter((socket) => socket !== null)
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
