import type { EndReason } from '../../broker/lease.ts'
import type { MachineView } from '../operations/shapes/machine.ts'
import type { RequestView } from '../operations/shapes/request.ts'
import type { LeaseView } from '../operations/shapes/lease.ts'

/** How something fares, beside the words that say so: its colour and its sign. */
export type Tone = 'good' | 'busy' | 'idle' | 'warn' | 'bad'

export interface StateWords {
  words: string
  tone: Tone
}

export const machineWords: Readonly<Record<MachineView['state'], StateWords>> = {
  provisioning: { words: 'being made', tone: 'busy' },
  running: { words: 'running', tone: 'good' },
  stopped: { words: 'stopped', tone: 'idle' },
  saved: { words: 'saved', tone: 'idle' },
  paused: { words: 'paused', tone: 'idle' },
  migrating: { words: 'moving to another host', tone: 'busy' },
  archived: { words: 'archived', tone: 'idle' },
  expired: { words: 'expired, kept for now', tone: 'warn' },
  deleting: { words: 'being deleted', tone: 'busy' },
  deleted: { words: 'deleted', tone: 'idle' },
  unreachable: { words: 'its host does not answer', tone: 'bad' },
  failed: { words: 'could not be made', tone: 'bad' },
}

export const requestWords: Readonly<Record<RequestView['state'], StateWords>> = {
  pending: { words: 'waiting for a decision', tone: 'busy' },
  approved: { words: 'approved, being made', tone: 'busy' },
  denied: { words: 'denied', tone: 'bad' },
  cancelled: { words: 'taken back', tone: 'idle' },
  expired: { words: 'lapsed, nobody decided', tone: 'warn' },
  failed: { words: 'approved, but failed', tone: 'bad' },
  fulfilled: { words: 'fulfilled', tone: 'good' },
}

export const leaseWords: Readonly<Record<LeaseView['state'], StateWords>> = {
  preparing: { words: 'being prepared', tone: 'busy' },
  offered: { words: 'ready for you', tone: 'good' },
  connected: { words: 'connected', tone: 'good' },
  disconnected: { words: 'disconnected, kept for you', tone: 'idle' },
  ended: { words: 'ended', tone: 'idle' },
}

/** Why a session ended, to the person whose it was. */
export const endWords: Readonly<Record<EndReason, string>> = {
  logged_off: 'You logged off.',
  released: 'You gave the desktop back.',
  expired: 'Its time was up.',
  idle: 'It was not used for too long.',
  disconnected_too_long: 'It was disconnected for too long.',
  revoked: 'An operator ended it.',
  desktop_lost: 'The desktop was lost. Open another one.',
  pool_closed: 'The pool was closed.',
  never_used: 'Nobody connected to it in time. Open it again.',
  failed: 'The desktop could not be made ready. Try again, and tell an operator if it goes on.',
}

/** What can be done to a machine: the word on the button, and what it asks before it is done. */
export const verbWords = {
  start: { button: 'Start', done: 'Starting was asked for.' },
  resume: { button: 'Resume', done: 'Resuming was asked for.' },
  shutdown: { button: 'Shut down', done: 'The guest is asked to shut down.' },
  save: {
    button: 'Save',
    done: 'Saving was asked for: its memory is written to disk.',
    warning: 'Its memory is written to disk and it stops, until it is resumed where it was.',
  },
  reset: {
    button: 'Reset',
    done: 'The reset button is pressed.',
    warning: 'What the guest has not written to its disk is lost. It starts again at once.',
  },
  'power-off': {
    button: 'Power off',
    done: 'The plug is pulled.',
    warning: 'What the guest has not written to its disk is lost. To stop it in order, shut it down instead.',
  },
  'let-go': {
    button: 'Let it go',
    done: 'It ends when it is due. You are not reminded of that again.',
    warning: 'It ends when it is due and is deleted after its grace. There are no more reminders about it.',
  },
  delete: {
    button: 'Delete',
    done: 'It is being deleted.',
    warning: 'The machine and its disks are gone for good.',
  },
} as const
export type ButtonVerb = keyof typeof verbWords

export function isButtonVerb(text: string): text is ButtonVerb {
  return text in verbWords
}

/** The text on a button, in the middle of a sentence. */
export function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

export function money(amount: string, currency: string): string {
  const [whole = '0', part = '00'] = amount.split('.')
  return `${whole.replace(/\B(?=(\d{3})+$)/g, '\u202f')}.${part}\u00a0${currency}`
}
