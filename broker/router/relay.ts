import type { Socket } from 'node:net'
import type { DesktopLeg } from './desktop-leg.ts'

/** Which side ended a connection, and whether it took its leave (FIN) or was lost. */
export type RelayEnd = 'client_closed' | 'client_lost' | 'desktop_closed' | 'desktop_lost'

/** What has passed. Times are in milliseconds since 1970. */
export interface Traffic {
  toDesktop: number
  toClient: number
  firstByteAt: number | null
  lastByteAt: number | null
  /** When the client said something last: a person, or a program that answers for one. */
  lastInputAt: number | null
}

export function noTraffic(): Traffic {
  return { toDesktop: 0, toClient: 0, firstByteAt: null, lastByteAt: null, lastInputAt: null }
}

export interface RelayOptions {
  /** How long one side may be silent after the other has ended. */
  lingerMillis: number
  now: () => number
  /** Is counted in while it passes. */
  traffic: Traffic
}

/**
 * Copies bytes both ways, no faster than the slower side takes them, until both have ended; `opening` is what the client
 * has said already. One side's end is passed on and the other may still speak, but only while it does: silence of
 * `lingerMillis` after it ends the connection, so that a desktop that never hangs up cannot hold a session open. What a
 * side that was lost said last still reaches the other. Resolves once both sockets are closed. Never rejects.
 */
export function relay(
  client: Socket,
  desktop: DesktopLeg,
  opening: readonly Buffer[],
  options: RelayOptions,
): Promise<RelayEnd> {
  const { lingerMillis, now, traffic } = options
  const host = desktop.socket
  let end: RelayEnd | undefined
  const linger = (side: Socket): void => void side.setTimeout(lingerMillis, () => side.destroy())

  function passToDesktop(bytes: Buffer): void {
    const at = (traffic.lastByteAt = traffic.lastInputAt = now())
    traffic.firstByteAt ??= at
    traffic.toDesktop += bytes.length
    if (!host.write(bytes)) client.pause()
  }

  function passedToClient(bytes: number): void {
    const at = (traffic.lastByteAt = now())
    traffic.firstByteAt ??= at
    traffic.toClient += bytes
  }

  function watch(side: Socket, other: Socket, closed: RelayEnd, lost: RelayEnd): Promise<void> {
    side.once('end', () => {
      end ??= closed
      other.end()
      linger(other)
    })
    side.once('error', () => (end ??= lost))
    return new Promise((resolve) => {
      const over = (): void => {
        end ??= lost
        // It takes its leave once all is written, and is not waited for longer than anybody who is silent.
        other.destroySoon()
        if (!other.closed) linger(other)
        resolve()
      }
      if (side.closed) over()
      else side.once('close', over)
    })
  }

  const over = Promise.all([
    watch(client, host, 'client_closed', 'client_lost'),
    watch(host, client, 'desktop_closed', 'desktop_lost'),
  ])
  for (const bytes of opening) passToDesktop(bytes)
  host.on('drain', () => client.resume())
  client.on('data', passToDesktop)
  if (!host.writableNeedDrain) client.resume()
  desktop.flowTo(client, passedToClient)
  return over.then(() => end ?? 'client_lost')
}
