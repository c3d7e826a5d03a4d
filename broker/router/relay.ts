import type { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'

/** Which side ended a connection, and whether it took its leave (FIN) or was lost. */
export type RelayEnd = 'client_closed' | 'client_lost' | 'desktop_closed' | 'desktop_lost'

/**
 * Copies bytes both ways, no faster than the slower side takes them, until both have ended. One side's end is passed
 * on and the other may still speak, but only while it does: silence of `lingerMillis` after it ends the connection, so
 * that a desktop that never hangs up cannot hold a session open. Destroys both sockets. Never rejects.
 */
export async function relay(client: Socket, desktop: Socket, lingerMillis: number): Promise<RelayEnd> {
  let ended: RelayEnd | undefined
  client.once('error', () => (ended ??= 'client_lost'))
  desktop.once('error', () => (ended ??= 'desktop_lost'))
  const copy = async (from: Socket, to: Socket, end: RelayEnd): Promise<void> => {
    await pipeline(from, to)
    ended ??= end
    to.setTimeout(lingerMillis, () => to.destroy())
  }
  await Promise.allSettled([copy(client, desktop, 'client_closed'), copy(desktop, client, 'desktop_closed')])
  client.destroy()
  desktop.destroy()
  return ended ?? 'client_lost'
}
