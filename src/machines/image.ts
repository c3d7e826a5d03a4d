import { z } from 'zod'
import type { Instant } from '../base/clock.ts'
import { type Asker } from './access.ts'
import type { Machine, Size } from './machine.ts'

export const ImageName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/, 'lower-case letters, digits and inner dashes, 2 to 40')

/** A disk in the library. `id` is its name. */
export interface LibraryImage extends Size {
  id: string
  /** The driver's handle, never used again. */
  ref: string
  hypervisor: string
  /** `failed` is one that came as a file that could not be taken. */
  state: 'making' | 'ready' | 'failed'
  /** Why it could not be taken. */
  failure?: string
  /**
   * `image`: kept until somebody removes it. `copies`: made for one request, and gone with it. `archive`: a machine that
   * was put away, and gone when that comes back.
   */
  use: 'image' | 'copies' | 'archive'
  /** The machine that it was made of; null where it came in as a file. */
  from: string | null
  /** What it stems from: its system, and its limits. */
  template: string
  os: Machine['os']
  owner: string | null
  administrators: string[]
  /** What it takes up; null until it is known. */
  sizeGb: number | null
  createdAt: Instant
  /** Machines that are made of it as soon as it is ready. */
  waiting: string[]
}

/** Whether somebody may make machines of an image, and remove it: as with the machine that it was made of. */
export function mayUseImage(asker: Asker, { owner, administrators }: LibraryImage): boolean {
  if (asker.roles.includes('operator') || owner === asker.user) return true
  return administrators.some((name) => name === asker.user || asker.groups.includes(name))
}

/** An image of a machine, to be made. */
export function newImage(
  machine: Machine,
  facts: { id: string; ref: string; use: LibraryImage['use']; at: Instant; hypervisor: string },
): LibraryImage {
  const { template, os, owner, administrators, cpus, memoryGb, id: from } = machine
  const { at: createdAt, ...rest } = facts
  const origin = { template, os, owner, administrators, cpus, memoryGb, from }
  return { ...rest, ...origin, state: 'making', sizeGb: null, createdAt, waiting: [] }
}

/** An image of a file, to be taken in: of a system, and with limits, that its template says. */
export function newImport(
  template: { name: string; os: Machine['os']; cpus: { default: number }; memoryGb: { default: number } },
  facts: { id: string; ref: string; owner: string; at: Instant; hypervisor: string },
): LibraryImage {
  const { at: createdAt, ...rest } = facts
  const size = { cpus: template.cpus.default, memoryGb: template.memoryGb.default }
  const origin = { template: template.name, os: template.os, administrators: [], from: null, ...size }
  return { ...rest, ...origin, use: 'image', state: 'making', sizeGb: null, createdAt, waiting: [] }
}
