import type { Instant } from '../src/base/clock.ts'
import { states, type Move } from '../src/base/states.ts'

export type DesktopState =
  | 'making'
  | 'spare'
  | 'storing'
  | 'stored'
  | 'leased'
  | 'resetting'
  | 'idle'
  | 'waking'
  | 'retiring'
  | 'quarantined'
  | 'gone'

/**
 * `spare` may go to anybody of the pool, and so may `stored`, which is saved and has to be woken first; `idle` belongs to
 * its person and waits for them (running or saved); a leased desktop goes through `resetting` before it is spare again,
 * and only a verified reset makes it so. `retiring` is on its way out, for a new one in its place.
 */
export const desktopStates = states<DesktopState>('Desktop', {
  making: ['spare', 'leased', 'quarantined', 'gone'],
  spare: ['leased', 'resetting', 'storing', 'retiring', 'quarantined', 'gone'],
  storing: ['stored', 'quarantined', 'gone'],
  stored: ['waking', 'retiring', 'quarantined', 'gone'],
  leased: ['resetting', 'idle', 'retiring', 'quarantined', 'gone'],
  idle: ['leased', 'waking', 'quarantined', 'gone'],
  waking: ['leased', 'idle', 'spare', 'quarantined', 'gone'],
  resetting: ['spare', 'leased', 'quarantined', 'gone'],
  retiring: ['quarantined', 'gone'],
  quarantined: ['resetting', 'retiring', 'idle', 'gone'],
  gone: [],
})

/** A machine's place in a pool. `id` is the machine's name. */
export interface Desktop {
  id: string
  pool: string
  state: DesktopState
  history: Move<DesktopState>[]
  /** The person it belongs to, in a persistent pool. */
  person: string | null
  /** The open lease on it. */
  lease: string | null
  /** When it was made, and from which version of its template, where the site's file says versions. */
  made?: { at: Instant; version: string | null }
}
