import { once } from 'node:events'
import type { Server } from 'node:net'
import { assert, messageOf, Outage } from '../../src/base/errors.ts'

/** Listens on all ports or on none. Says where the first one is. */
export async function listenAll(
  servers: readonly Server[],
  host: string,
  ports: readonly number[],
): Promise<{ address: string; port: number }> {
  try {
    const bound = await Promise.all(servers.map((server, at) => listen(server, host, ports[at] ?? 0)))
    const [first] = bound
    assert(first !== undefined, 'a router has a port')
    return first
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }
}

async function listen(
  server: Server,
  host: string,
  port: number,
): Promise<{ address: string; port: number }> {
  try {
    server.listen({ host, port })
    await once(server, 'listening')
  } catch (cause) {
    const detail = `The RDP router cannot listen on ${host}:${port}: ${messageOf(cause)}`
    throw new Outage('router_cannot_listen', detail, { transient: false, cause })
  }
  const bound = server.address()
  assert(bound !== null && typeof bound === 'object', 'a TCP listener has an address and a port')
  return { address: bound.address, port: bound.port }
}

/** Resolves when no connection that came in here is left. Harmless twice. */
export async function stopListening(servers: readonly Server[]): Promise<void> {
  const listening = servers.filter((server) => server.listening)
  const closed = listening.map((server) => once(server, 'close'))
  for (const server of listening) server.close()
  await Promise.all(closed)
}
