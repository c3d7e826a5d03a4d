import type { Instant } from '../base/clock.ts'
import { addDays, type LocalDay, startOfDay } from '../base/period.ts'
import type { Machine, MachineState, Size } from './machine.ts'

/** What a machine was promised and who answered for it, from an instant on until the next of its record. */
export interface Allocation extends Size {
  from: Instant
  budget: string | null
  owner: string | null
}

/** How much a machine takes up: its full room, only its disks on a host, or only a place in the library. */
export type Occupation = 'running' | 'saved' | 'archived'

/** What a machine had on a day: the most of each component, and who answered for it last. */
export interface DayUse extends Size {
  state: Occupation
  budget: string | null
  owner: string | null
}

/** A machine is there from its creation on, so also while it is made; nothing is left of it in the states of null. */
const occupations: Readonly<Record<MachineState, Occupation | null>> = {
  provisioning: 'running',
  running: 'running',
  stopped: 'running',
  paused: 'running',
  migrating: 'running',
  unreachable: 'running',
  deleting: 'running',
  saved: 'saved',
  expired: 'saved',
  archived: 'archived',
  deleted: null,
  failed: null,
}

/** How much of a machine in a state there is; null where nothing is left of it. */
export function occupationOf(state: MachineState): Occupation | null {
  return occupations[state]
}

/** The record of a machine's allocations. One that never changed has had what it has now. */
export function allocationsOf(machine: Machine): readonly Allocation[] {
  return machine.usage ?? [allocationFrom(machine, machine.createdAt)]
}

/** The machine with its record begun: to be used before something is changed that counts only from later on. */
export function recorded(machine: Machine): Machine {
  return machine.usage === undefined ? { ...machine, usage: [...allocationsOf(machine)] } : machine
}

/** The machine with another size, budget or owner that counts from `at` on. The same again changes nothing. */
export function allocate(
  machine: Machine,
  change: Partial<Pick<Machine, 'cpus' | 'memoryGb' | 'budget' | 'owner'>>,
  at: Instant,
): Machine {
  const usage = allocationsOf(machine)
  const last = { ...allocationFrom(machine, at), ...usage.at(-1) }
  const next = { ...last, ...change, from: at }
  const isSame = JSON.stringify(next) === JSON.stringify({ ...last, from: at })
  return { ...machine, ...change, usage: isSame ? [...usage] : [...usage, next] }
}

/** What a machine takes up from now on: the larger of what it has and what it was promised and does not have yet. */
export function promisedSize(machine: Machine): Size {
  return highest([machine, ...allocationsOf(machine).slice(-1)])
}

/**
 * What a machine had on a day of the site's calendar, whatever the hours of that day; nothing when it was not there.
 * Of each component the most that it had at any moment of the day, since that much was kept from others.
 */
export function usageOn(machine: Machine, day: LocalDay, zone: string): DayUse | undefined {
  const span = { from: startOfDay(day, zone), to: startOfDay(addDays(day, 1), zone) }
  if (machine.createdAt >= span.to) return undefined
  const occupied = within(statesOf(machine), span).map(({ state }) => occupationOf(state))
  const state = (['running', 'saved', 'archived'] as const).find((kind) => occupied.includes(kind))
  const held = within(allocationsOf(machine), span)
  const last = held.at(-1)
  if (state === undefined || last === undefined) return undefined
  return { ...highest(held), state, budget: last.budget, owner: last.owner }
}

/** Its states by when they began. The first counts from creation on, also where it was taken over later than that. */
function statesOf({ history, createdAt, state }: Machine): { from: Instant; state: MachineState }[] {
  if (history.length === 0) return [{ from: createdAt, state }]
  return history.map((move, index) => ({ from: index === 0 ? createdAt : move.at, state: move.state }))
}

/** The parts of a record that lasted for a moment of a span at least; `to` is not part of it. */
function within<T extends { from: Instant }>(
  parts: readonly T[],
  span: { from: Instant; to: Instant },
): readonly T[] {
  // Days are asked for in order and mostly lately, so the record is walked from its end.
  const found: T[] = []
  let until: Instant = '~'
  for (let index = parts.length - 1; index >= 0; index--) {
    const part = parts[index]
    if (part === undefined || until <= span.from) break
    if (part.from < span.to && part.from < until) found.unshift(part)
    until = part.from < until ? part.from : until
  }
  return found
}

function highest(sizes: readonly Size[]): Size {
  return {
    cpus: Math.max(...sizes.map(({ cpus }) => cpus)),
    memoryGb: Math.max(...sizes.map(({ memoryGb }) => memoryGb)),
  }
}

function allocationFrom({ cpus, memoryGb, budget, owner }: Machine, from: Instant): Allocation {
  return { from, cpus, memoryGb, budget, owner }
}
