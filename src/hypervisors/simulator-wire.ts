import type { Socket } from 'node:net'
import { z } from 'zod'
import { Outage } from '../base/errors.ts'
import type { Figures, Image, Inventory, MachineSpec, MachineStatus, Passage } from './hypervisor.ts'

/**
 * What is said between a simulator's server and the processes that use it: JSON, a message a line, in both directions on
 * one connection. Answers come in any order; whoever hangs up has cancelled all that they asked for. A console has a
 * connection of its own: after its answer that carries the bytes of the console.
 */
const Ref = z.string()
const Size = z.object({ cpus: z.number(), memoryGb: z.number() })
const Spec: z.ZodType<MachineSpec> = Size.extend({
  ref: Ref,
  name: z.string(),
  host: z.string(),
  template: z.string(),
  os: z.enum(['linux', 'windows', 'other']),
  administrators: z.array(z.object({ user: z.string(), keys: z.array(z.string()) })),
  mac: z.string(),
  image: z.string().exactOptional(),
  data: z.string().exactOptional(),
  blank: z.object({ diskGb: z.number(), disc: z.string().nullable() }).exactOptional(),
  isolated: z.boolean().exactOptional(),
})

/** Calls that take nothing but a ref and give nothing. */
export const plainVerbs = [
  'start',
  'shutdown',
  'powerOff',
  'reset',
  'save',
  'resume',
  'restoreClean',
  'remove',
] as const
export type PlainVerb = (typeof plainVerbs)[number]

/** Calls that take two words (a machine or a file, and what about it) and give nothing. */
export const pairVerbs = [
  'snapshot',
  'revert',
  'forget',
  'capture',
  'exportImage',
  'importImage',
  'migrate',
] as const
export type PairVerb = (typeof pairVerbs)[number]

export const Question = z.discriminatedUnion('call', [
  z.object({ call: z.literal('inventory') }),
  z.object({ call: z.literal('status'), ref: Ref }),
  z.object({ call: z.literal('provision'), spec: Spec, stage: z.string() }),
  z.object({ call: z.literal('resize'), ref: Ref, size: Size }),
  z.object({ call: z.enum(plainVerbs), ref: Ref }),
  z.object({ call: z.enum(pairVerbs), ref: Ref, word: z.string() }),
  z.object({ call: z.literal('images') }),
  z.object({ call: z.literal('removeImage'), ref: Ref }),
  z.object({ call: z.literal('passage'), ref: Ref, word: z.string() }),
  z.object({ call: z.literal('figures'), ref: Ref }),
  z.object({ call: z.literal('console'), ref: Ref, kind: z.enum(['screen', 'serial']) }),
])
export type Question = z.infer<typeof Question>

/** `cancel` takes back the question of the same id. */
export const Asked = z.object({ id: z.number(), ask: z.union([Question, z.literal('cancel')]) })
export type Asked = z.infer<typeof Asked>

/** An answer, a way in which the hypervisor failed, or a mistake of the server's own. */
export const Said = z.union([
  z.object({ id: z.number(), answer: z.unknown() }),
  z.object({
    id: z.number(),
    outage: z.object({ code: z.string(), detail: z.string(), transient: z.boolean() }),
  }),
  z.object({ id: z.number(), mistake: z.string() }),
])
export type Said = z.infer<typeof Said>

export function outageOf({ code, detail, transient }: Extract<Said, { outage: object }>['outage']): Outage {
  return new Outage(code, detail, { transient })
}

export const Status: z.ZodType<MachineStatus> = z.object({
  ref: Ref,
  power: z.enum(['running', 'stopped', 'saved', 'paused', 'missing', 'unknown']),
  host: z.string().nullable(),
  address: z.string().nullable(),
  rdp: z.object({ host: z.string(), port: z.number() }).nullable(),
  providerState: z.string(),
  name: z.string().exactOptional(),
  size: Size.exactOptional(),
})

export const Listing: z.ZodType<Inventory> = z.object({
  hosts: z.array(
    Size.extend({
      name: z.string(),
      version: z.string(),
      slots: z.number(),
      group: z.string(),
      reachable: z.boolean(),
      templates: z.array(z.string()).exactOptional(),
      cpu: z.string().exactOptional(),
    }),
  ),
  machines: z.array(Status),
})

export const Images: z.ZodType<Image[]> = z.array(z.object({ ref: Ref, sizeGb: z.number() }))

export const Way: z.ZodType<Passage> = z.union([
  z.object({ how: z.literal('live') }),
  z.object({ how: z.enum(['quick', 'none']), why: z.string() }),
])

const count = z.number().nullable()

/** Bytes do not survive being JSON as they are. */
export function writable({ thumbnail, ...rest }: Figures): object {
  const body = thumbnail === null ? null : Buffer.from(thumbnail.body).toString('base64')
  return { ...rest, thumbnail: body }
}

const Picture = z
  .base64()
  .nullable()
  .transform((body) =>
    body === null ? null : { type: 'image/png' as const, body: Buffer.from(body, 'base64') },
  )

export const Measured: z.ZodType<Figures> = z.object({
  uptimeSeconds: count,
  cpuLoad: count,
  memoryUsedGb: count,
  heartbeat: z.enum(['ok', 'lost', 'none']),
  disks: z.array(z.object({ name: z.string(), sizeGb: count, readBytes: count, writtenBytes: count })),
  networks: z.array(
    z.object({ name: z.string(), mac: z.string().nullable(), receivedBytes: count, sentBytes: count }),
  ),
  snapshots: z.array(z.object({ name: z.string(), takenAt: z.string() })),
  thumbnail: Picture,
  problems: z.array(z.string()),
})

export function sendLine(socket: Socket, message: Asked | Said): void {
  socket.write(`${JSON.stringify(message)}\n`)
}

/**
 * Reads messages off a connection. One that cannot be read ends the connection.
 * @returns how to stop, where what comes next is no messages: what has come of that already.
 */
export function eachLine<T>(socket: Socket, shape: z.ZodType<T>, take: (message: T) => void): () => Buffer {
  let begun = Buffer.alloc(0)
  let isOver = false
  const read = (chunk: Buffer) => {
    begun = Buffer.concat([begun, chunk])
    // No letter of UTF-8 has this byte within.
    for (let end = begun.indexOf(newline); end !== -1 && !isOver; end = begun.indexOf(newline)) {
      const message = shape.safeParse(parsed(begun.subarray(0, end).toString('utf8')))
      begun = begun.subarray(end + 1)
      if (message.success) take(message.data)
      else {
        socket.destroy()
        return
      }
    }
  }
  socket.on('data', read)
  return () => {
    isOver = true
    socket.off('data', read).pause()
    return begun
  }
}

const newline = 0x0a

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
