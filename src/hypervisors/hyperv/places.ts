import { z } from 'zod'
import { refused } from '../outages.ts'
import type { HyperVRule } from './rule.ts'

/** Refs are ours and plain; nothing else becomes part of a path. */
const plain = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/

/** The folder that a machine has to itself: it goes when the machine goes. */
export function machineFolder({ machines }: Pick<HyperVRule, 'machines'>, ref: string): string {
  return `${machines.replace(/\\+$/, '')}\\${named(ref)}`
}

export function imagePath({ library }: Pick<HyperVRule, 'library'>, image: string): string {
  return `${library.replace(/\\+$/, '')}\\${named(image)}.vhdx`
}

function named(ref: string): string {
  if (!plain.test(ref)) throw refused(`${JSON.stringify(ref)} cannot be the name of a file.`)
  return ref
}

export const Disks = z.array(z.strictObject({ path: z.string() }))
