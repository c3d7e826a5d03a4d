import type { WebSocket } from 'ws'

/**
 * Ends a WebSocket whose other side is gone without a word: it is asked at each beat (RFC 6455, 5.5.2), and ended when the
 * last one was not answered. Stops by itself once the socket is closed.
 */
export function endWhenSilent(socket: WebSocket, beatMillis: number): void {
  let isAlive = true
  const beat = setInterval(() => {
    if (!isAlive) socket.terminate()
    isAlive = false
    socket.ping()
  }, beatMillis)
  socket.on('pong', () => (isAlive = true))
  socket.on('close', () => clearInterval(beat))
}
