import { z } from 'zod'
import { messageOf, Outage, Refusal } from '../../src/base/errors.ts'
import { Turned } from './dial.ts'

/** Two ends that pass each other messages: those of a thread, say. */
export interface Channel {
  post(message: unknown): void
  listen(listener: (message: unknown) => void): void
}

/** What the other end may call, by name. What comes in is read by whoever is called. */
export type Handlers = Readonly<Record<string, (input: unknown) => Promise<unknown>>>

export interface Caller {
  /** Calls the other end. @throws Turned with the code of a Refusal or an Outage there; else Error. */
  call(name: string, input: unknown): Promise<unknown>
  /** The other end is gone: whoever waits for it is told. */
  abandon(why: string): void
}

const Message = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('call'), id: z.number(), name: z.string(), input: z.unknown() }),
  z.object({ kind: z.literal('answer'), id: z.number(), value: z.unknown() }),
  z.object({ kind: z.literal('fault'), id: z.number(), code: z.string().nullable(), text: z.string() }),
])

/** Calls both ways over a channel: each end has functions that the other may call, and waits for its answers. */
export function openCalls(channel: Channel, handlers: Handlers): Caller {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let lastId = 0
  let gone: string | undefined

  function settle(id: number, how: (waiter: NonNullable<ReturnType<typeof waiting.get>>) => void): void {
    const waiter = waiting.get(id)
    waiting.delete(id)
    if (waiter !== undefined) how(waiter)
  }

  async function answer(id: number, name: string, input: unknown): Promise<void> {
    try {
      const handler = handlers[name]
      if (handler === undefined) throw new Error(`nothing here is called ${name}`)
      channel.post({ kind: 'answer', id, value: await handler(input) })
    } catch (error) {
      const isKnown = error instanceof Refusal || error instanceof Outage
      channel.post({ kind: 'fault', id, code: isKnown ? error.code : null, text: messageOf(error) })
    }
  }

  channel.listen((raw) => {
    const message = Message.parse(raw)
    if (message.kind === 'call') void answer(message.id, message.name, message.input)
    else if (message.kind === 'answer') settle(message.id, ({ resolve }) => resolve(message.value))
    else settle(message.id, ({ reject }) => reject(faultOf(message)))
  })

  return {
    call(name, input) {
      if (gone !== undefined) return Promise.reject(new Error(gone))
      const id = ++lastId
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        channel.post({ kind: 'call', id, name, input })
      })
    },
    abandon(why) {
      gone = why
      for (const id of waiting.keys()) settle(id, ({ reject }) => reject(new Error(why)))
    },
  }
}

function faultOf({ code, text }: { code: string | null; text: string }): Error {
  return code === null ? new Error(text) : new Turned(code, text)
}
