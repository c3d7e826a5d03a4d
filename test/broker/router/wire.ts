import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { assert } from '../../../src/base/errors.ts'

/** One end of a connection in a test: what came in, and what there is to wait for. */
export interface End {
  socket: Socket
  /** All bytes so far. */
  received: () => Buffer
  /** Resolves once this many bytes are there. */
  has: (count: number) => Promise<Buffer>
  /** Resolves when the other side has taken its leave or the connection is gone. */
  over: Promise<void>
}

/** A listener that stands for a desktop's RDP server. What it says, a test says on `socket`. */
export interface StubHost {
  target: { host: string; port: number }
  /** The next connection that nobody has asked for yet. */
  next: () => Promise<End>
  /** How many connections came. */
  dials: () => number
  close: () => Promise<void>
  /** The same place, listening anew. */
  again: () => Promise<StubHost>
}

/** With `answer`, it is called with each connection, and there is nothing to ask for. */
export async function openStubHost(answer?: (end: End) => unknown, port = 0): Promise<StubHost> {
  const sockets: Socket[] = []
  const arrived: End[] = []
  const wanted: ((end: End) => void)[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    const end = endOf(socket)
    const taker = answer ?? wanted.shift()
    if (taker === undefined) arrived.push(end)
    else taker(end)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  assert(bound !== null && typeof bound === 'object', 'a TCP listener has a port')
  return {
    target: { host: '127.0.0.1', port: bound.port },
    next: () => {
      const end = arrived.shift()
      return end === undefined ? new Promise((resolve) => wanted.push(resolve)) : Promise.resolve(end)
    },
    dials: () => sockets.length,
    again: () => openStubHost(answer, bound.port),
    async close() {
      if (!server.listening) return
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

/** Dials a port on this machine and says something (hex). */
export async function dial(port: number, hex = ''): Promise<End> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  const end = endOf(socket)
  await once(socket, 'connect')
  if (hex !== '') socket.write(Buffer.from(hex, 'hex'))
  return end
}

function endOf(socket: Socket): End {
  const chunks: Buffer[] = []
  const waiting: { count: number; wake: (bytes: Buffer) => void }[] = []
  const received = (): Buffer => Buffer.concat(chunks)
  let size = 0
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    for (const waiter of waiting.filter(({ count }) => count <= size)) waiter.wake(received())
  })
  const over = new Promise<void>((resolve) => {
    socket.once('end', () => resolve())
    socket.once('close', () => resolve())
  })
  return {
    socket,
    received,
    over,
    has: (count) => new Promise((wake) => (count <= size ? wake(received()) : waiting.push({ count, wake }))),
  }
}

/** A promise that a test settles itself. */
export function gate<T = void>(): { promise: Promise<T>; open: (value: T) => void } {
  let open: (value: T) => void = () => undefined
  const promise = new Promise<T>((resolve) => (open = resolve))
  return { promise, open }
}
