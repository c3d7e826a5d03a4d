import { z } from 'zod'
import type { Instant } from '../src/base/clock.ts'
import { IsoDuration } from '../src/base/duration.ts'
import { Hours, isWithin } from './opening-hours.ts'

/**
 * How the router may find out whom a connection is for, in this order: the ticket of a lease; the pool's name as a
 * collection (`tsv://`), with any of those that follow; the address of a registered terminal; the port that was made for
 * one; the user name that a client sends; the short code of a lease in its place.
 */
export const identities = ['ticket', 'pool', 'address', 'port', 'user', 'code'] as const
export type Identity = (typeof identities)[number]

/** A pool of desktops as the site's file describes it. */
export const PoolRule = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/),
  title: z.string().max(80).optional(),
  /** `persistent`: one person, one desktop, kept. `shared`: a clean one for each person. */
  kind: z.enum(['persistent', 'shared']),
  template: z.string(),
  /** The host group its desktops are placed on. */
  group: z.string(),
  size: z.strictObject({
    /** Desktops kept ready beyond those in use. */
    spare: z.number().int().min(0),
    /** Further ones kept saved: they take no memory, and are woken as somebody logs in and no other is ready. */
    saved: z.number().int().min(0).default(0),
    max: z.number().int().positive(),
    /** Other numbers of spare desktops at times of the week, such as weekday mornings. */
    schedule: z.array(Hours.safeExtend({ spare: z.number().int().min(0) })).default([]),
    /** Set, as many are kept ready as were asked for at this time of the week in the last weeks, where that is more. */
    demand: z.strictObject({ weeks: z.number().int().min(1).max(8).default(4) }).optional(),
  }),
  /** When it is open. Sessions end, warned, when it closes. Left out, it always is. */
  hours: z.array(Hours).default([]),
  /** The code that its sessions are charged to where prices have them cost something; `own` is that of each person. */
  budget: z.union([z.literal('own'), z.string().regex(/^[A-Z][A-Z0-9-]{0,19}$/)]).optional(),
  /** Users and groups who may use it; `everyone` is everybody who is signed in. */
  members: z.array(z.string()).min(1),
  lease: z.strictObject({
    /** The longest that a lease lasts. */
    max: IsoDuration,
    /** How long before its end the person is warned. */
    warn: IsoDuration,
    /** How long a disconnected session is kept. */
    disconnected: IsoDuration,
    /** How long an offered desktop waits for its first connection. */
    unused: IsoDuration.prefault('PT10M'),
    /** What happens to the desktop when the lease ends. Shared ones are always reset. */
    atEnd: z.enum(['save', 'keep', 'reset']),
    /** The most minutes a person may add to a lease, all extensions together. */
    extendMax: IsoDuration.prefault('PT2H'),
    /** The longest that a lease may last where somebody has agreed to it; nothing is asked for beyond. */
    approvedMax: IsoDuration.prefault('P7D'),
    /** After how long without a key or a mouse move a lease ends. Left out, never. */
    idle: IsoDuration.optional(),
  }),
  /** What the router may know connections by. All but the ticket can be feigned by somebody on the same network. */
  identities: z
    .array(z.enum(identities))
    .min(1)
    .default([...identities]),
  /** Settings of its RDP files. Redirections are off unless allowed here. */
  rdp: z
    .strictObject({
      clipboard: z.boolean().default(false),
      printers: z.boolean().default(false),
      drives: z.boolean().default(false),
      /** Serial and parallel ports. */
      ports: z.boolean().default(false),
      smartcards: z.boolean().default(false),
      /** Plug-and-play devices of the terminal. */
      devices: z.boolean().default(false),
      audio: z.enum(['client', 'host', 'none']).default('client'),
      /** `one` and `all` fill the terminal's screens; `window` is a window of `size`. */
      displays: z.enum(['one', 'all', 'window']).default('one'),
      size: z
        .strictObject({
          width: z.number().int().min(200).max(8192),
          height: z.number().int().min(200).max(8192),
        })
        .optional(),
      colours: z.union([z.literal(15), z.literal(16), z.literal(24), z.literal(32)]).default(32),
      /** Whether its desktops speak CredSSP (NLA). */
      nla: z.boolean().default(true),
    })
    .prefault({}),
})
export type PoolRule = z.infer<typeof PoolRule>

/** How many desktops a pool keeps ready at an instant: the most that its schedule says, else its usual number. */
export function spareAt({ size }: Pick<PoolRule, 'size'>, at: Instant, zone: string): number {
  const now = size.schedule.filter((window) => isWithin([window], at, zone))
  return now.length === 0 ? size.spare : Math.max(...now.map(({ spare }) => spare))
}
