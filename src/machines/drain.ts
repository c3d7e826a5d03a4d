import type { Instant } from '../base/clock.ts'
import { isAlive, type Machine } from './machine.ts'

/** How a host is being emptied, from the wish for it until its return. */
export interface Drain {
  by: string
  at: Instant
  /** Machines that were sent to other hosts, whether they arrived or not. */
  tried: string[]
  /** Machines that were saved to disk, since they could not be moved. */
  saved: string[]
  /** Why each of these could not be moved. */
  why: { machine: string; why: string }[]
  /** Set once there is nothing more to do. */
  doneAt: Instant | null
}

/** A host that is to be emptied, at the beginning. */
export function newDrain(by: string, at: Instant): Drain {
  return { by, at, tried: [], saved: [], why: [], doneAt: null }
}

/** What to do next about the machines of a host. */
export interface DrainRound {
  move: string[]
  save: string[]
  /** Whether something is under way that has to be waited for. */
  waits: boolean
  /** What stays and still runs: nothing more can be done for it. */
  stuck: string[]
}

/**
 * Each machine is sent to another host once, a few at a time; what did not get away and runs is saved once; what runs
 * even then is stuck. Machines that are stopped or saved may stay, since nothing of them is lost by maintenance.
 */
export function drainRound(
  drain: Pick<Drain, 'tried' | 'saved'>,
  machines: readonly Machine[],
  { busy, most }: { busy: ReadonlySet<string>; most: number },
): DrainRound {
  const there = machines.filter(isAlive)
  const idle = there.filter(({ id, state }) => !busy.has(id) && state !== 'migrating')
  const inHand = there.length - idle.length
  const fresh = idle.filter(({ id, state }) => canGo.includes(state) && !drain.tried.includes(id))
  const left = idle.filter((machine) => !fresh.includes(machine))
  const runs = left.filter(({ state }) => state === 'running' || state === 'paused')
  const save = runs.filter(({ id }) => !drain.saved.includes(id)).map(({ id }) => id)
  const gone = left.filter(({ state }) => state === 'unreachable')
  const stuck = [...runs.filter(({ id }) => drain.saved.includes(id)), ...gone].map(({ id }) => id)
  const move = fresh.slice(0, Math.max(0, most - inHand)).map(({ id }) => id)
  return { move, save, stuck, waits: inHand > 0 || fresh.length > 0 || save.length > 0 }
}

const canGo: readonly Machine['state'][] = ['running', 'stopped', 'saved']
