import { connect, type Socket } from 'node:net'
import { z } from 'zod'
import { changeFeed } from './change-feed.ts'
import type { Hypervisor } from './hypervisor.ts'
import { hypervisorUnreachable } from './outages.ts'
import { remoteConsole } from './remote-console.ts'
import { type ServerAddress, simulatorStages } from './simulator-rule.ts'
import {
  eachLine,
  Images,
  Listing,
  Measured,
  outageOf,
  type PairVerb,
  type PlainVerb,
  type Question,
  Said,
  sendLine,
  Status,
  Way,
} from './simulator-wire.ts'

export interface RemoteSimulatorOptions {
  name: string
  /** Where `jackdaw simulate` serves it. */
  server: ServerAddress
}

/** A simulated farm that another process of this machine serves, so that all processes of a site see the same. */
export function remoteSimulator(options: RemoteSimulatorOptions): Hypervisor {
  const wire = openWire(options)
  const plain = (call: PlainVerb) => async (ref: string, signal: AbortSignal) => {
    await wire.ask({ call, ref }, nothing, signal)
  }
  const pair = (call: PairVerb) => async (ref: string, word: string, signal: AbortSignal) => {
    await wire.ask({ call, ref, word }, nothing, signal)
  }
  return {
    name: options.name,
    stages: simulatorStages,
    inventory: (signal) => wire.ask({ call: 'inventory' }, Listing, signal),
    status: (ref, signal) => wire.ask({ call: 'status', ref }, Status, signal),
    provision: async (spec, stage, signal) => {
      await wire.ask({ call: 'provision', spec, stage }, nothing, signal)
    },
    resize: async (ref, size, signal) => {
      await wire.ask({ call: 'resize', ref, size }, nothing, signal)
    },
    start: plain('start'),
    shutdown: plain('shutdown'),
    powerOff: plain('powerOff'),
    reset: plain('reset'),
    save: plain('save'),
    resume: plain('resume'),
    restoreClean: plain('restoreClean'),
    remove: plain('remove'),
    snapshot: pair('snapshot'),
    revert: pair('revert'),
    forget: pair('forget'),
    capture: pair('capture'),
    images: (signal) => wire.ask({ call: 'images' }, Images, signal),
    removeImage: async (ref, signal) => {
      await wire.ask({ call: 'removeImage', ref }, nothing, signal)
    },
    exportImage: pair('exportImage'),
    importImage: pair('importImage'),
    passage: (ref, word, signal) => wire.ask({ call: 'passage', ref, word }, Way, signal),
    migrate: pair('migrate'),
    figures: (ref, signal) => wire.ask({ call: 'figures', ref }, Measured, signal),
    console: (ref, kind, signal) => remoteConsole(options, { ref, kind }, signal),
    // Nothing is told over its wire: what changed shows when the farm is looked at next.
    changes: (signal) => changeFeed().follow(signal),
    close: async () => wire.close(),
  }
}

const nothing = z.null()

interface Wire {
  ask<T>(question: Question, answer: z.ZodType<T>, signal: AbortSignal): Promise<T>
  close(): void
}

interface Waiting {
  resolve: (answer: unknown) => void
  reject: (error: Error) => void
}

/** One connection for all calls. It is made when it is needed, and made anew after it was lost. */
function openWire({ name, server }: RemoteSimulatorOptions): Wire {
  const waiting = new Map<number, Waiting>()
  let socket: Socket | undefined
  let lastId = 0
  let isClosed = false

  function connected(): Socket {
    if (socket !== undefined) return socket
    const made = connect(server)
    let fault: Error | undefined
    made.on('error', (error) => (fault = error))
    made.on('close', () => {
      if (socket === made) lost(fault)
    })
    eachLine(made, Said, said)
    // A farm that nobody asks keeps no process alive.
    socket = made.unref()
    return made
  }

  function lost(cause: Error | undefined): void {
    socket = undefined
    for (const { reject } of waiting.values()) reject(hypervisorUnreachable(name, cause))
    waiting.clear()
  }

  function said(message: Said): void {
    const one = waiting.get(message.id)
    waiting.delete(message.id)
    if (one === undefined) return
    if ('answer' in message) one.resolve(message.answer)
    else if ('outage' in message) one.reject(outageOf(message.outage))
    else one.reject(new Error(message.mistake))
  }

  function send(question: Question, signal: AbortSignal): Promise<unknown> {
    const id = ++lastId
    return new Promise((resolve, reject) => {
      const cancel = () => {
        if (!waiting.delete(id)) return
        if (socket !== undefined) sendLine(socket, { id, ask: 'cancel' })
        const reason: unknown = signal.reason
        reject(reason instanceof Error ? reason : new Error('aborted'))
      }
      const settle =
        <T>(end: (value: T) => void) =>
        (value: T) => {
          signal.removeEventListener('abort', cancel)
          end(value)
        }
      waiting.set(id, { resolve: settle(resolve), reject: settle(reject) })
      signal.addEventListener('abort', cancel, { once: true })
      sendLine(connected(), { id, ask: question })
    })
  }

  return {
    async ask(question, answer, signal) {
      signal.throwIfAborted()
      if (isClosed) throw hypervisorUnreachable(name)
      return answer.parse(await send(question, signal))
    },
    close() {
      isClosed = true
      socket?.destroy()
    },
  }
}
