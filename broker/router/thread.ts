import { parentPort } from 'node:worker_threads'
import { z } from 'zod'
import { assert } from '../../src/base/errors.ts'
import { openCalls } from './calls.ts'
import { openRouter, type Router } from './listener.ts'
import { CloseWords, FoundWords, LimitWords, SettingsWords } from './thread-words.ts'

/** The router in a thread of its own: it asks its owner whom connections are for, and does what its owner says. */

const port = parentPort
assert(port !== null, 'this file runs in a thread')
let router: Router | undefined

const opened = (): Router => {
  assert(router !== undefined, 'the router is opened first')
  return router
}

const owner = openCalls(
  { post: (message) => port.postMessage(message), listen: (listener) => port.on('message', listener) },
  {
    open: async (input) => {
      router = await openRouter({
        ...SettingsWords.parse(input),
        now: Date.now,
        log: { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') },
        find: async (said, source) => FoundWords.parse(await owner.call('find', { said, source })),
        connected: async (lease, info) => {
          await owner.call('connected', { lease, info })
        },
        disconnected: async (lease, end) => {
          await owner.call('disconnected', { lease, end })
        },
      })
      return { address: router.address, port: router.port }
    },
    close: async (input) => {
      const { lease, reason } = CloseWords.parse(input)
      return opened().close(lease, reason)
    },
    limit: async (input) => {
      const { lease, endsAt } = LimitWords.parse(input)
      await opened().limit(lease, endsAt)
    },
    sessions: () => opened().sessions(),
    counts: () => opened().counts(),
    drain: (input) => opened().drain(z.number().parse(input)),
    shutdown: () => opened().shutdown(),
  },
)

/** Log lines are written by the owner, so that they do not mix. */
function tell(level: 'debug' | 'info' | 'warn' | 'error') {
  return (facts: unknown, text?: unknown): void => {
    owner.call('log', { level, facts: facts ?? {}, text: String(text) }).catch(() => undefined)
  }
}
