import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { messageOf, Outage } from '../../src/base/errors.ts'
import { type Caller, openCalls } from './calls.ts'
import { Turned } from './dial.ts'
import type { ConnectionEnd, Router, RouterOptions } from './listener.ts'
import { noTraffic } from './relay.ts'
import {
  BoundWords,
  ConnectedWords,
  CountsWords,
  DisconnectedWords,
  FindWords,
  LogWords,
  SessionsWords,
} from './thread-words.ts'

/** The built file of the thread. Node runs it as it is, so it is there once the program was built. */
const threadFile = new URL('./thread.js', import.meta.url)

/**
 * Opens the router in a thread of its own: what people send does not wait while the rest of the process is busy. Asking
 * and telling go through the owner's thread. A thread that breaks down is opened anew on the same port, and its
 * connections are over (`router_lost`). Its time is the system's.
 * @throws Outage `router_cannot_listen` when the address cannot be had.
 */
export async function openRouterApart(options: RouterOptions, file = threadFile): Promise<Router> {
  const { log } = options
  const live = new Map<number, string>()
  let isClosing = false
  let thread = await openThread(options, live, file, () => void reopen())

  async function reopen(): Promise<void> {
    if (isClosing) return
    log.error({ connections: live.size }, 'rdp router broke down')
    const lost = [...live]
    live.clear()
    for (const [id, lease] of lost) {
      const end: ConnectionEnd = { id, reason: 'router_lost', traffic: noTraffic() }
      await options.disconnected(lease, end).catch((error: unknown) => {
        log.error({ lease, id, error: messageOf(error) }, 'rdp end not recorded')
      })
    }
    try {
      thread = await openThread({ ...options, port: thread.bound.port }, live, file, () => void reopen())
    } catch (error) {
      log.error({ error: messageOf(error) }, 'rdp router is gone')
    }
  }

  const call = (name: string, input: unknown = null) => thread.calls.call(name, input)
  return {
    ...thread.bound,
    close: async (lease, reason) => z.number().parse(await call('close', { lease, reason })),
    limit: async (lease, endsAt) => {
      await call('limit', { lease, endsAt })
    },
    sessions: async () => SessionsWords.parse(await call('sessions')),
    counts: async () => CountsWords.parse(await call('counts')),
    drain: async (limitMillis) => {
      await call('drain', limitMillis)
    },
    async shutdown() {
      if (isClosing) return
      isClosing = true
      await call('shutdown')
      await thread.worker.terminate()
    },
  }
}

interface Thread {
  worker: Worker
  calls: Caller
  bound: { address: string; port: number }
}

async function openThread(
  options: RouterOptions,
  live: Map<number, string>,
  file: URL,
  lost: () => void,
): Promise<Thread> {
  const { find, connected, disconnected, log, now: _, ...settings } = options
  const worker = new Worker(file)
  const channel = {
    post: (message: unknown) => worker.postMessage(message),
    listen: (listener: (message: unknown) => void) => void worker.on('message', listener),
  }
  const calls = openCalls(channel, {
    find: (input) => {
      const { said, source } = FindWords.parse(input)
      return find(said, source)
    },
    connected: async (input) => {
      const { lease, info } = ConnectedWords.parse(input)
      await connected(lease, info)
      live.set(info.id, lease)
    },
    disconnected: (input) => {
      const { lease, end } = DisconnectedWords.parse(input)
      live.delete(end.id)
      return disconnected(lease, end)
    },
    log: async (input) => {
      const { level, facts, text } = LogWords.parse(input)
      log[level](facts, text)
    },
  })
  worker.on('error', (error) => log.error({ error: messageOf(error) }, 'rdp router failed'))
  const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  void gone.then(() => calls.abandon('the router is gone'))
  try {
    const bound = BoundWords.parse(await calls.call('open', settings))
    void gone.then(lost)
    return { worker, calls, bound }
  } catch (error) {
    await worker.terminate()
    throw error instanceof Turned
      ? new Outage(error.outcome, error.message, { transient: false, cause: error })
      : error
  }
}
