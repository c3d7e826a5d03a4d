import { messageOf } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import { backoffMillis } from '../../src/base/retry.ts'
import type { ChatStatus } from '../chat.ts'
import type { MattermostRule } from '../rules.ts'
import type { MattermostSecrets } from '../secrets.ts'
import type { Lines } from './lines.ts'
import type { Timings } from './mattermost.ts'
import type { Server } from './server.ts'
import { openSocket, type Socket } from './socket.ts'
import type { Work } from './work.ts'

/** The stream of messages, and what it says of the platform. */
export interface Stream {
  status(): ChatStatus
  close(): void
}

export interface StreamServices {
  rule: MattermostRule
  secrets: MattermostSecrets
  log: Log
  server: Server
  lines: Lines
  timings: Timings
  work: Work
}

/** Listens as soon as the server is there, however long that takes. */
export function openStream(options: StreamServices): Stream {
  const { rule, secrets, log, server, lines, timings, work } = options
  const { carryOn } = work
  let socket: Socket | undefined
  let said = 'not reached yet'

  function listen(): void {
    socket = openSocket({
      ...{ url: rule.url, token: secrets.token, log },
      onMessage: (message) => carryOn(lines.heard(message)),
      onMissed: () => carryOn(lines.catchUp()),
      ...(timings.socket === undefined ? {} : { timings: timings.socket }),
    })
  }

  async function connect(): Promise<void> {
    for (let attempt = 1; !work.isStopped(); attempt++) {
      try {
        await server.known()
        if (!work.isStopped()) listen()
        return
      } catch (error) {
        said = messageOf(error)
        log.warn({ error: said, attempt }, 'mattermost is not reached')
        await work.wait(
          backoffMillis(attempt, { firstMillis: timings.retryMillis, maxMillis: 60_000, spread: 0 }),
        )
      }
    }
  }

  void connect()
  return {
    status() {
      if (socket === undefined) return { state: 'connecting', detail: said }
      if (socket.isOpen()) return { state: 'up', detail: 'listens' }
      return { state: 'down', detail: 'the stream of messages is lost; it comes back by itself' }
    },
    close() {
      socket?.close()
    },
  }
}
