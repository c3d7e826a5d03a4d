import { assert } from '../../src/base/errors.ts'
import type { PoolRule } from '../pool.ts'

/** What a device is told to connect to. Nothing of it says who sits there: these files are given to anybody who asks. */
export interface DeviceFacts {
  /** The router, as RDP files name it: `host:port`. */
  address: string
  publicUrl: string
  /** The pool that the device is for; without one, people choose on our page. */
  pool: Pick<PoolRule, 'name' | 'title' | 'rdp'> | null
  /** Of the device, where it is known. */
  terminal: { name: string; mac: string | null } | null
}

/** How a collection is asked for: the router finds the pool by it, and the device by its address or port. */
export function collectionToken(pool: string): string {
  return `tsv://MS Terminal Services Plugin.1.${pool}`
}

/** A value for a file that a device reads line by line, or that a shell runs: only characters that mean nothing there. */
export function harmless(text: string): string {
  assert(
    /^[A-Za-z0-9 ._:/@=?&,+[\]-]*$/.test(text),
    'a value in a device file has no character with a meaning',
  )
  return text
}

/** A pool's title where a device can show it, else its name. */
export function shownName({ name, title }: Pick<PoolRule, 'name' | 'title'>): string {
  return title !== undefined && /^[A-Za-z0-9 ._-]{1,40}$/.test(title) ? title : name
}

/** The start page of a device without a pool, with what it would say of itself. */
export function startPage({ publicUrl, terminal }: DeviceFacts): string {
  const url = new URL('/desktop', publicUrl)
  if (terminal !== null) {
    url.searchParams.set('terminal', terminal.name)
  }
  return url.href
}
