import { z } from 'zod'
import type { Instant } from '../base/clock.ts'
import type { Drain } from './drain.ts'

/** The group of hosts that take servers, where the site's file names no other. */
export const serverGroup = 'central'

/** A physical host as the site's file describes it; a driver may add what it finds. */
export const HostRule = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/),
  cpus: z.number().int().positive(),
  memoryGb: z.number().positive(),
  slots: z.number().int().positive(),
  group: z.string().default(serverGroup),
})
export type HostRule = z.infer<typeof HostRule>

/** A machine that was deleted here, and that a hypervisor still has. */
export interface Leftover {
  ref: string
  /** What it was called here. */
  name: string
  providerState: string
}

/** A physical host as we last saw it. `id` is its name. */
export interface Host {
  id: string
  hypervisor: string
  version: string
  cpus: number
  memoryGb: number
  /** The most machines it may hold. */
  slots: number
  group: string
  /** How many virtual CPUs and GB may be promised for each real one. */
  overcommit: { cpus: number; memory: number }
  state: 'up' | 'draining' | 'down'
  seenAt: Instant
  /** The templates that machines on it can be made from; absent is any. */
  templates?: string[]
  /** What its processors are, where that is known. */
  cpu?: string
  /** What is left on it of machines that were deleted here. */
  leftovers?: Leftover[]
  /** Set while it is kept free for maintenance. */
  drain?: Drain
}
