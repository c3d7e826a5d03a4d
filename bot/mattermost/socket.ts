import mattermost from '@mattermost/client'
import { WebSocket } from 'ws'
import { assert } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import { withClientSurroundings } from './surroundings.ts'

export interface SocketOptions {
  /** Of the server, such as `https://chat.example.org`. */
  url: string
  token: string
  log: Log
  onMessage: (message: unknown) => void
  /** Messages were lost: the server was restarted, or could not say what came in between. */
  onMissed: () => void
  /** Shorter in tests. */
  timings?: SocketTimings
}

export interface SocketTimings {
  retryMillis: number
  jitterMillis: number
  pingMillis: number
}

export interface Socket {
  isOpen(): boolean
  close(): void
}

const usual: SocketTimings = { retryMillis: 3000, jitterMillis: 2000, pingMillis: 30_000 }

/**
 * The stream of what happens on the server. It comes back by itself, slower and slower, and says when something was missed.
 *
 * A listener for missed messages is always there: without one the client does not keep the id of its connection, expects
 * the old numbers of a new connection, and comes back for ever.
 */
export function openSocket(options: SocketOptions): Socket {
  const { url, token, log, onMessage, onMissed, timings = usual } = options
  let current: WebSocket | undefined
  let isClosed = false
  const client = withClientSurroundings(log, () => {
    const made = new mattermost.WebSocketClient({
      minWebSocketRetryTime: timings.retryMillis,
      reconnectJitterRange: timings.jitterMillis,
      clientPingInterval: timings.pingMillis,
      // With the token in its head the server knows whose connection it is, and can go on where it broke off.
      newWebSocketFn: (address: string) => {
        const socket = new WebSocket(address, {
          headers: { Authorization: `Bearer ${token}` },
          handshakeTimeout: 10_000,
          maxPayload: 4 * 1024 * 1024,
        })
        current = socket
        assert(isEnough(socket), 'a socket of ws has what the client uses of one')
        return socket
      },
    })
    made.addMissedMessageListener(onMissed)
    made.addMessageListener((message) => {
      if (!isClosed) onMessage(message)
    })
    made.addCloseListener((failures) => {
      if (failures === 1) log.warn('mattermost stream is lost')
    })
    made.addReconnectListener(() => log.info('mattermost stream is back'))
    made.initialize(`${url.replace(/^http/, 'ws')}/api/v4/websocket`, token)
    return made
  })
  return {
    isOpen: () => current?.readyState === WebSocket.OPEN,
    close() {
      isClosed = true
      withClientSurroundings(log, () => client.close())
      // The client lets go only of what is open; what is just being opened would stay.
      current?.terminate()
    },
  }
}

/** The client sends, closes and listens; both kinds of socket do that in the same way. */
function isEnough(socket: object): socket is globalThis.WebSocket {
  return 'send' in socket && 'close' in socket && 'onmessage' in socket
}
