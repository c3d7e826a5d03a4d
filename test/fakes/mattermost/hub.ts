import type { IncomingMessage, Server } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import type { FakeUser } from './world.ts'

/** How many events are kept for a connection that broke (deadQueueSize of web_conn.go). */
const kept = 128

interface Connection {
  id: string
  user: string
  next: number
  queue: { seq: number; text: string }[]
  socket: WebSocket | undefined
}

const Message = z.object({
  action: z.string(),
  seq: z.number().int().positive(),
  data: z.looseObject({ token: z.string().optional() }).nullish(),
})

/**
 * The stream of events, as the server numbers it. A connection that comes back with its id and the number that it expects
 * goes on where it was, without another `hello`; every other one is new, with a new id and numbers from nought.
 */
export interface Hub {
  publish(event: string, data: Record<string, unknown>, users: Iterable<string>): void
  /** The next events are numbered and lost: nobody is sent them, then or later. */
  loseNext(count: number): void
  /** Connections break; what is known of them stays. */
  breakOff(): void
  /** All is forgotten, as after a restart. */
  forget(): void
  /** How many connections were made since the start. */
  readonly opened: number
  /** How many are open. */
  readonly open: number
  /** Which came back where they were. */
  readonly resumed: number
}

export function openHub(
  server: Server,
  options: { userOf: (token: string) => FakeUser | undefined; version: string; id(): string },
): Hub {
  const connections = new Map<string, Connection>()
  const sockets = new WebSocketServer({ noServer: true })
  let lose = 0
  const counts = { opened: 0, resumed: 0 }

  server.on('upgrade', (request: IncomingMessage, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://fake')
    if (url.pathname !== '/api/v4/websocket') {
      socket.destroy()
      return
    }
    sockets.handleUpgrade(request, socket, head, (opened) => accept(opened, request, url))
  })

  function accept(socket: WebSocket, request: IncomingMessage, url: URL): void {
    counts.opened++
    const user = options.userOf(/^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '')
    let connection = user === undefined ? undefined : begin(socket, user, url)
    let last = 0
    socket.on('message', (raw: Buffer) => {
      const message = Message.parse(JSON.parse(raw.toString('utf8')))
      if (message.seq <= last) {
        socket.close(1002, 'a request number came twice')
        return
      }
      last = message.seq
      if (message.action === 'ping') reply(socket, message.seq, { text: 'pong', version: options.version })
      if (message.action !== 'authentication_challenge' || connection !== undefined) return
      const challenged = options.userOf(message.data?.token ?? '')
      if (challenged === undefined) {
        socket.close(1008, 'not authenticated')
        return
      }
      // The session was not known at the upgrade: such a connection is always a new one.
      connection = fresh(socket, challenged)
      reply(socket, message.seq, {})
    })
    socket.on('close', () => {
      if (connection?.socket === socket) connection.socket = undefined
    })
  }

  function begin(socket: WebSocket, user: FakeUser, url: URL): Connection {
    const known = connections.get(url.searchParams.get('connection_id') ?? '')
    const wanted = Number(url.searchParams.get('sequence_number') ?? '0')
    const first = known?.queue[0]?.seq ?? known?.next ?? 0
    const gap =
      known?.queue.some(({ seq }, at, all) => at > 0 && seq !== (all[at - 1]?.seq ?? 0) + 1) ?? false
    if (known?.user !== user.id || wanted < first || wanted > known.next || gap) return fresh(socket, user)
    counts.resumed++
    known.socket?.terminate()
    known.socket = socket
    for (const { seq, text } of known.queue) if (seq >= wanted) socket.send(text)
    return known
  }

  function fresh(socket: WebSocket, user: FakeUser): Connection {
    const connection: Connection = { id: options.id(), user: user.id, next: 0, queue: [], socket }
    connections.set(connection.id, connection)
    const data = { connection_id: connection.id, server_version: options.version, server_hostname: 'fake' }
    send(connection, 'hello', data)
    return connection
  }

  function send(connection: Connection, event: string, data: Record<string, unknown>, isLost = false): void {
    const seq = connection.next++
    const text = JSON.stringify({ event, data, broadcast: {}, seq })
    if (isLost) return
    connection.queue.push({ seq, text })
    if (connection.queue.length > kept) connection.queue.shift()
    connection.socket?.send(text)
  }

  function breakOff(): void {
    for (const { socket } of connections.values()) socket?.terminate()
    for (const socket of sockets.clients) socket.terminate()
  }

  return {
    publish(event, data, users) {
      const to = new Set(users)
      const isLost = lose > 0
      if (isLost) lose--
      for (const connection of connections.values()) {
        if (to.has(connection.user)) send(connection, event, data, isLost)
      }
    },
    loseNext: (count) => void (lose = count),
    breakOff,
    forget() {
      breakOff()
      connections.clear()
    },
    get opened() {
      return counts.opened
    },
    get resumed() {
      return counts.resumed
    },
    get open() {
      return [...connections.values()].filter(({ socket }) => socket !== undefined).length
    },
  }
}

function reply(socket: WebSocket, seq: number, data: Record<string, unknown>): void {
  socket.send(JSON.stringify({ status: 'OK', data, seq_reply: seq }))
}
