import { Refusal } from '../base/errors.ts'
import type { Machine, MachineState } from './machine.ts'

export type Verb =
  | 'start'
  | 'shutdown'
  | 'power-off'
  | 'reset'
  | 'save'
  | 'resume'
  | 'resize'
  | 'delete'
  | 'extend'
  | 'snapshot'
  | 'revert'
  | 'migrate'
  | 'capture'
  | 'archive'
  | 'restore'
  | 'clone'
  | 'console'

export interface VerbRule {
  /** The states it may be asked in. */
  from: readonly MachineState[]
  /** The states in which what it asks for is so already. */
  already: readonly MachineState[]
  /** The state it leads to; null when the state stays as it is. */
  to: MachineState | null
}

const settled = ['running', 'stopped', 'saved', 'paused', 'unreachable', 'expired'] as const

/** What may be done to a machine in which state, and what it leads to. An expired machine that is extended is no longer so. */
export const verbs: Readonly<Record<Verb, VerbRule>> = {
  start: { from: ['stopped', 'saved', 'paused'], already: ['running'], to: 'running' },
  shutdown: { from: ['running'], already: ['stopped'], to: 'stopped' },
  'power-off': { from: ['running', 'paused'], already: ['stopped'], to: 'stopped' },
  reset: { from: ['running'], already: [], to: 'running' },
  save: { from: ['running', 'paused'], already: ['saved'], to: 'saved' },
  resume: { from: ['saved', 'paused'], already: ['running'], to: 'running' },
  resize: { from: ['running', 'stopped'], already: [], to: null },
  delete: {
    from: [...settled, 'provisioning', 'migrating', 'archived', 'failed'],
    already: ['deleting', 'deleted'],
    to: 'deleting',
  },
  extend: { from: [...settled, 'provisioning', 'migrating', 'archived'], already: [], to: null },
  snapshot: { from: ['running', 'stopped'], already: [], to: null },
  revert: { from: ['running', 'stopped', 'saved', 'paused'], already: [], to: null },
  migrate: { from: ['running', 'stopped', 'saved'], already: [], to: null },
  capture: { from: ['running', 'stopped'], already: [], to: null },
  archive: { from: ['running', 'stopped', 'saved'], already: ['archived'], to: 'archived' },
  restore: { from: ['archived'], already: [], to: 'running' },
  clone: { from: ['running', 'stopped'], already: [], to: null },
  console: { from: ['running'], already: [], to: null },
}

/** What to say after a machine's name when a verb does not go with its state: the fact and the remedy. */
const remedies: Readonly<Record<MachineState, string>> = {
  provisioning: 'is still being made; wait until it is ready.',
  running: 'is running; shut it down first.',
  stopped: 'is stopped; start it first.',
  saved: 'is saved; resume it first.',
  paused: 'is paused; resume it first.',
  migrating: 'is being moved to another host; try again when it has arrived.',
  archived: 'is archived; restore it first.',
  expired: 'has expired; extend it first.',
  deleting: 'is being deleted; request a new machine.',
  deleted: 'was deleted; request a new machine.',
  unreachable: 'is on a host that does not answer; try again when it does, or ask an operator.',
  failed: 'could not be made; delete it and request a new one.',
}

/**
 * Whether a verb goes with the state that a machine is in. What is so already is no fault: there is nothing to do.
 * @throws Refusal `wrong_state` in words, with the remedy.
 */
export function checkVerb(machine: Machine, verb: Verb): 'allowed' | 'already' {
  const rule = verbs[verb]
  if (rule.already.includes(machine.state)) return 'already'
  if (rule.from.includes(machine.state)) return 'allowed'
  throw new Refusal('wrong_state', `${machine.id} ${remedies[machine.state]}`, { about: machine.id })
}
