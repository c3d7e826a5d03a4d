import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'

/** The guests' RDP servers: each a real TCP listener on the loopback interface. */
export interface RdpHosts {
  /**
   * Listens for this machine, if it does not yet: on the wanted port where that is free. Resolves to the port.
   * Rejects when there are too many listeners already.
   */
  open(ref: string, wantedPort: number | null): Promise<number>
  port(ref: string): number | undefined
  /** Closes its sessions and goes on listening, as after a quick reset. */
  cut(ref: string): void
  /** Closes its sessions and stops listening. */
  shut(ref: string): Promise<void>
  close(): Promise<void>
}

interface RdpHost {
  server: Server
  sessions: Set<Socket>
  listening: Promise<number>
  port?: number
}

const loopback = '127.0.0.1'

/** Listeners take file descriptors and ports that the rest of the service needs too. */
const mostListeners = 5000

export function rdpHosts(): RdpHosts {
  const hosts = new Map<string, RdpHost>()

  async function open(ref: string, wantedPort: number | null): Promise<number> {
    const standing = hosts.get(ref)
    if (standing !== undefined) return standing.listening
    if (hosts.size >= mostListeners) throw new Error(`there are ${mostListeners} listeners already`)
    const host = startHost(wantedPort ?? 0)
    hosts.set(ref, host)
    try {
      return (host.port = await host.listening)
    } catch (error) {
      if (hosts.get(ref) === host) hosts.delete(ref)
      throw error
    }
  }

  async function shut(ref: string): Promise<void> {
    const host = hosts.get(ref)
    hosts.delete(ref)
    if (host !== undefined) await stopHost(host)
  }

  return {
    open,
    port: (ref) => hosts.get(ref)?.port,
    cut: (ref) => hosts.get(ref)?.sessions.forEach((socket) => socket.destroy()),
    shut,
    async close() {
      await Promise.all([...hosts.keys()].map(shut))
    },
  }
}

function startHost(wantedPort: number): RdpHost {
  const sessions = new Set<Socket>()
  const server = createServer((socket) => {
    sessions.add(socket)
    socket.once('close', () => sessions.delete(socket))
    greet(socket)
  })
  // A connection that cannot be taken (no file descriptor left) is the client's to notice.
  server.on('error', () => undefined)
  const listening = listen(server, wantedPort)
  return { server, sessions, listening }
}

async function listen(server: Server, port: number): Promise<number> {
  try {
    server.listen(port, loopback)
    await once(server, 'listening')
  } catch (error) {
    // Somebody else has the port by now: any other will do.
    if (port !== 0) return listen(server, 0)
    throw error
  }
  const address = server.address()
  return address !== null && typeof address === 'object' ? address.port : port
}

async function stopHost(host: RdpHost): Promise<void> {
  // A listener that is not up yet cannot be closed, and one that never came up need not be.
  const listens = await host.listening.then(
    () => true,
    () => false,
  )
  if (!listens) return
  const closed = once(host.server, 'close')
  host.server.close()
  host.sessions.forEach((socket) => socket.destroy())
  await closed
}

/** How long a client may take over its first packet. */
const greetingMillis = 10_000

/**
 * Plays an RDP server as far as a router can see: answers the X.224 Connection Request (MS-RDPBCGR 2.2.1.1) with a
 * Connection Confirm (2.2.1.2), then sends every byte back. Anything else at the start closes the connection, as a
 * real server does; so does a preconnection blob, which no RDP server takes.
 */
function greet(socket: Socket): void {
  let received = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.setTimeout(greetingMillis, () => socket.destroy())
  socket.on('data', function collect(chunk: Buffer) {
    received = Buffer.concat([received, chunk])
    const request = readConnectionRequest(received)
    if (request === 'incomplete') return
    if (request === 'malformed') {
      socket.destroy()
      return
    }
    socket.off('data', collect)
    socket.setTimeout(0)
    socket.write(connectionConfirm(request))
    socket.write(received.subarray(request.length))
    socket.pipe(socket)
  })
}

interface ConnectionRequest {
  /** Bytes of the whole packet. */
  length: number
  /** The client's reference of the connection (X.224 SRC-REF). */
  source: number
  /** Bits of the security protocols that it offers; null when it does not negotiate. */
  protocols: number | null
}

// TPKT (RFC 1006): 03 00 and the length of the whole, 16 bits, big-endian. Then X.224: the length of what follows,
// e0, 2 bytes of destination, 2 of source, 1 of class; then an optional cookie or routing token that ends in CR LF,
// and an optional RDP_NEG_REQ: 01, flags, 08 00, 32 bits of protocols, little-endian (MS-RDPBCGR 2.2.1.1.1).
function readConnectionRequest(bytes: Buffer): ConnectionRequest | 'incomplete' | 'malformed' {
  if (bytes.length > 0 && bytes[0] !== 0x03) return 'malformed'
  if (bytes.length < 11) return 'incomplete'
  const length = bytes.readUInt16BE(2)
  const header = bytes.readUInt8(4)
  if (bytes[5] !== 0xe0 || header !== length - 5 || header < 6) return 'malformed'
  if (bytes.length < length) return 'incomplete'
  return { length, source: bytes.readUInt16BE(8), protocols: offeredProtocols(bytes.subarray(11, length)) }
}

function offeredProtocols(rest: Buffer): number | null {
  const lineEnd = rest.indexOf('\r\n')
  const hasToken = rest[0] !== 0x01 && lineEnd !== -1
  const negotiation = hasToken ? rest.subarray(lineEnd + 2) : rest
  return negotiation.length >= 8 && negotiation[0] === 0x01 ? negotiation.readUInt32LE(4) : null
}

/** Chooses the lowest protocol on offer, or plain RDP where none is; says nothing of it to a client that did not ask. */
function connectionConfirm({ source, protocols }: ConnectionRequest): Buffer {
  const confirm = Buffer.from('0300000b06d00000123400', 'hex')
  confirm.writeUInt16BE(source, 6)
  if (protocols === null) return confirm
  const response = Buffer.from('0200080000000000', 'hex')
  response.writeUInt32LE((protocols & -protocols) >>> 0, 4)
  const whole = Buffer.concat([confirm, response])
  whole.writeUInt16BE(whole.length, 2)
  whole.writeUInt8(whole.length - 5, 4)
  return whole
}
