import type { Instant } from './clock.ts'
import { Refusal } from './errors.ts'

/** A state machine as data: each state with the states it may move to. Code and database constraints read the same table. */
export interface States<S extends string> {
  readonly noun: string
  readonly moves: Readonly<Record<S, readonly S[]>>
}

export interface Move<S extends string> {
  state: S
  at: Instant
  reason?: string
}

export function states<S extends string>(noun: string, moves: Record<S, readonly S[]>): States<S> {
  return { noun, moves }
}

export function canMove<S extends string>(table: States<S>, from: S, to: S): boolean {
  return table.moves[from].includes(to)
}

/**
 * Moves a thing to another state and adds a row to its history.
 * @throws Refusal `wrong_state` when the table does not allow it.
 */
export function move<S extends string, T extends { id: string; state: S; history: Move<S>[] }>(
  table: States<S>,
  thing: T,
  to: S,
  why: { at: Instant; reason?: string },
): T {
  if (!canMove(table, thing.state, to)) {
    throw new Refusal(
      'wrong_state',
      `${table.noun} ${thing.id} is ${thing.state}, and from there it cannot become ${to}.`,
    )
  }
  return { ...thing, state: to, history: [...thing.history, { state: to, ...why }] }
}

/** The names of a table's states, for schemas. */
export function stateNames<S extends string>(table: States<S>): S[] {
  const isState = (name: string): name is S => name in table.moves
  return Object.keys(table.moves).filter(isState)
}
