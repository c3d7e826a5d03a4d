import { states, type Move } from '../src/base/states.ts'

export type DesktopState =
  'making' | 'spare' | 'leased' | 'resetting' | 'idle' | 'waking' | 'quarantined' | 'gone'

/**
 * `spare` may go to anybody of the pool; `idle` belongs to its person and waits for them (running or saved); a leased
 * desktop goes through `resetting` before it is spare again, and only a verified reset makes it so.
 */
export const desktopStates = states<DesktopState>('Desktop', {
  making: ['spare', 'leased', 'quarantined', 'gone'],
  spare: ['leased', 'resetting', 'quarantined', 'gone'],
  leased: ['resetting', 'idle', 'quarantined', 'gone'],
  idle: ['leased', 'waking', 'quarantined', 'gone'],
  waking: ['leased', 'idle', 'quarantined', 'gone'],
  resetting: ['spare', 'quarantined', 'gone'],
  quarantined: ['resetting', 'gone'],
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
}
