import { AsyncLocalStorage } from 'node:async_hooks'
import { WebSocket } from 'ws'
import type { Log } from '../../src/base/log.ts'

/**
 * What `@mattermost/client` expects of a browser. It reads `WebSocket.OPEN` and makes a `CloseEvent` when a sequence has a
 * gap or a ping stays unanswered; where Node has neither (20 has none, 22 lacks the second), that ends the process.
 */
function lendGlobals(): void {
  const lent: Record<string, unknown> = { WebSocket, CloseEvent: ClosedBy }
  for (const [name, value] of Object.entries(lent)) {
    if (!(name in globalThis))
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }
}

class ClosedBy extends Event {
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean

  constructor(type: string, { code = 0, reason = '', wasClean = false } = {}) {
    super(type)
    this.code = code
    this.reason = reason
    this.wasClean = wasClean
  }
}

const speaking = new AsyncLocalStorage<Log>()
let listens = false

/**
 * Runs the client, and all that it starts, with what it says on the console in our log: standard output holds one JSON
 * object a line. What others say is let through.
 */
export function withClientSurroundings<T>(log: Log, work: () => T): T {
  lendGlobals()
  if (!listens) listenToConsole()
  return speaking.run(log, work)
}

function listenToConsole(): void {
  listens = true
  const { console } = globalThis
  for (const name of ['log', 'warn', 'error'] as const) {
    const say = console[name].bind(console)
    console[name] = (...said: unknown[]) => {
      const log = speaking.getStore()
      if (log === undefined) say(...said)
      else log.debug({ said: said.map(textOf).join(' ').slice(0, 300) }, 'mattermost client says')
    }
  }
}

/** Events and answers are named, not shown: they could hold what somebody wrote. */
function textOf(said: unknown): string {
  return typeof said === 'string' || typeof said === 'number' ? String(said) : '(object)'
}
