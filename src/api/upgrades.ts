import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { clientAddress } from './client-address.ts'

/** Takes over a connection that began as HTTP (RFC 9110, 7.8), from a client at an address. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer, address: string) => void

export interface Upgrades {
  /** Gives connections with this path to whoever serves it. */
  at(path: string, take: Upgrade): void
}

/**
 * Which connections become something else than HTTP, by their path. One with another path is closed.
 * @param proxies whose `X-Forwarded-For` is believed
 */
export function openUpgrades(server: Server, proxies: readonly string[] = []): Upgrades {
  const addressOf = clientAddress(proxies)
  const known = new Map<string, Upgrade>()
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Whoever hangs up while we still think has changed their mind, which is no fault of ours.
    socket.on('error', () => socket.destroy())
    const [path = ''] = (request.url ?? '').split('?')
    const take = known.get(path)
    if (take === undefined) refuseUpgrade(socket, '404 Not Found')
    else take(request, socket, head, addressOf(request))
  })
  return { at: (path, take) => void known.set(path, take) }
}

export function refuseUpgrade(
  socket: Duplex,
  status: '401 Unauthorized' | '403 Forbidden' | '404 Not Found',
) {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`)
}

/** Whether a page of another site opens it. Devices that are no browsers send no Origin (RFC 6455, 10.2). */
export function isForeign({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host)
}
