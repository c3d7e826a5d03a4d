import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'

/** How much may wait for a browser before its machine is no longer listened to. */
const mostWaiting = 1 << 18

/** Who ended it: the browser, the machine, or we, because the browser sent what is no bytes. */
export type Ended = 'browser' | 'machine' | 'misspoken'

/**
 * Carries bytes both ways until one side ends. A side that does not take what it is sent stops the other from being read,
 * so that neither can fill our memory.
 */
export function pump(socket: WebSocket, stream: Duplex): Promise<Ended> {
  stream.on('data', (chunk: Buffer) => {
    socket.send(chunk, () => {
      if (stream.isPaused() && socket.bufferedAmount < mostWaiting / 2) stream.resume()
    })
    if (socket.bufferedAmount > mostWaiting) stream.pause()
  })
  // A driver may hand it over paused.
  stream.resume()
  stream.on('drain', () => socket.resume())
  return new Promise((resolve) => {
    socket.on('message', (data: RawData, isBinary: boolean) => {
      if (!isBinary || !Buffer.isBuffer(data)) resolve('misspoken')
      else if (!stream.destroyed && !stream.write(data)) socket.pause()
    })
    socket.on('close', () => {
      stream.destroy()
      resolve('browser')
    })
    const over = () => {
      // A paused socket would not hear the answer to our goodbye.
      socket.resume()
      resolve('machine')
    }
    stream.on('end', over)
    stream.on('error', over)
    stream.on('close', over)
  })
}
