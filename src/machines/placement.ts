import { counted, list } from '../base/text.ts'
import type { Host } from './host.ts'
import { hasRoom, type HostLoad, isMeant, type PlacementOrder, plus } from './placement-filters.ts'
import { shortage, standing } from './placement-filters.ts'
import { type Goal, type Score, scoreOf, worth } from './placement-score.ts'

export interface HostRefusal {
  host: string
  reasons: string[]
}

export type Placement = { placed: string[] } | { refused: HostRefusal[] }

/** The goal of each group of hosts; those that are not in it are spread over. */
export type Goals = ReadonlyMap<string, Goal>

const idle: HostLoad = { machines: 0, cpus: 0, memoryGb: 0 }
const spreadAll: Goals = new Map()

/**
 * Finds a host for each machine of an order, or for none of them. Machines go to different hosts where they can, then to
 * the host that is best by the goal of its group, then to the first name. Where machines are consolidated, a host that
 * is in use goes before an empty one, which could stay switched off. `load` is by host name.
 * @returns a host per machine, or each host with the reasons why it cannot take (another) one.
 */
export function place(
  order: PlacementOrder,
  hosts: readonly Host[],
  load: ReadonlyMap<string, HostLoad>,
  goals: Goals = spreadAll,
): Placement {
  const { placed, candidates } = fill(order, hosts, load, goals)
  if (placed.length === order.count) return { placed }
  return { refused: refusals(order, hosts, candidates) }
}

/** Hosts for as many machines of an order as there is room for. */
export function placeMost(
  order: PlacementOrder,
  hosts: readonly Host[],
  load: ReadonlyMap<string, HostLoad>,
  goals: Goals = spreadAll,
): string[] {
  return fill(order, hosts, load, goals).placed
}

/** A host as an order sees it: how good it would be for the first machine, how many it would get, or why not more. */
export interface HostView {
  host: Host
  /** Null where it can take none. */
  score: Score | null
  takes: number
  reasons: string[]
}

/** What `place` goes by, host by host: those that get most first. */
export function explainPlacement(
  order: PlacementOrder,
  hosts: readonly Host[],
  load: ReadonlyMap<string, HostLoad>,
  goals: Goals = spreadAll,
): HostView[] {
  const { placed, candidates } = fill(order, hosts, load, goals)
  const open = new Map(candidates.map((one) => [one.host.id, one]))
  const fits = placed.length === order.count
  const views = hosts.map((host): HostView => {
    const held = load.get(host.id) ?? idle
    const one = open.get(host.id)
    if (one === undefined) return { host, score: null, takes: 0, reasons: standing(host, order) }
    const canTake = hasRoom(host, held, order)
    const score = canTake ? scoreOf(host, plus(held, order), one.goal) : null
    return { host, score, takes: one.taken, reasons: fits && canTake ? [] : short(one, order) }
  })
  const rank = ({ takes: given, score }: HostView) => [given, score?.stars ?? -1] as const
  return views.sort((a, b) => {
    const [[takesA, starsA], [takesB, starsB]] = [rank(a), rank(b)]
    return takesB - takesA || starsB - starsA || (a.host.id < b.host.id ? -1 : 1)
  })
}

/** `cernwod01: no free guest slot; cernwod02: is draining`, at most ten hosts, those that nearly could first. */
export function explainRefusal(refused: readonly HostRefusal[]): string {
  if (refused.length === 0) return 'there are no hosts'
  const shown = refused.slice(0, 10).map(({ host, reasons }) => `${host}: ${list(reasons)}`)
  const rest = refused.length - shown.length
  return [...shown, ...(rest > 0 ? [`and ${counted(rest, 'more host')}`] : [])].join('; ')
}

interface Candidate {
  host: Host
  load: HostLoad
  goal: Goal
  /** Machines of this order that it has been given. */
  taken: number
  /** How good it would be for the next machine. */
  worth: number
}

/** Gives machines to hosts until all have one or no host can take another. */
function fill(
  order: PlacementOrder,
  hosts: readonly Host[],
  load: ReadonlyMap<string, HostLoad>,
  goals: Goals,
): { placed: string[]; candidates: Candidate[] } {
  const candidates = hosts
    .filter((host) => standing(host, order).length === 0)
    .map((host) => candidate(host, load.get(host.id) ?? idle, goals.get(host.group) ?? 'spread', order))
  const open = candidates.filter(({ host, load: held }) => hasRoom(host, held, order))
  const placed: string[] = []
  while (placed.length < order.count) {
    const best = firstOf(open)
    if (best === undefined) break
    best.load = plus(best.load, order)
    best.taken += 1
    best.worth = worth(best.host, plus(best.load, order), best.goal)
    placed.push(best.host.id)
    const isFull = order.apart === true || !hasRoom(best.host, best.load, order)
    if (isFull) open.splice(open.indexOf(best), 1)
  }
  return { placed, candidates }
}

function candidate(host: Host, load: HostLoad, goal: Goal, order: PlacementOrder): Candidate {
  return { host, load, goal, taken: 0, worth: worth(host, plus(load, order), goal) }
}

function firstOf(open: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined
  for (const one of open) if (best === undefined || goesBefore(one, best)) best = one
  return best
}

function goesBefore(one: Candidate, other: Candidate): boolean {
  const [wakes, otherWakes] = [wakesUp(one), wakesUp(other)]
  if (wakes !== otherWakes) return otherWakes
  if (one.taken !== other.taken) return one.taken < other.taken
  if (one.worth !== other.worth) return one.worth > other.worth
  return one.host.id < other.host.id
}

/** Whether it is empty and could stay so. */
function wakesUp({ goal, load }: Candidate): boolean {
  return goal === 'consolidate' && load.machines === 0
}

function refusals(order: PlacementOrder, hosts: readonly Host[], open: readonly Candidate[]): HostRefusal[] {
  const full = open.map((one) => ({ host: one.host.id, reasons: short(one, order) }))
  // Hosts that were out of the question come last: the reader wants to know what could be freed.
  const shutOut = hosts.filter((host) => standing(host, order).length > 0)
  const near = shutOut.filter((host) => isMeant(host, order))
  const far = shutOut.filter((host) => !isMeant(host, order))
  const shut = [...near, ...far].map((host) => ({ host: host.id, reasons: standing(host, order) }))
  const asked = order.host
  const unknown = asked === undefined || hosts.some((host) => host.id === asked) ? [] : [asked]
  return [...unknown.map((host) => ({ host, reasons: ['is not known'] })), ...full, ...shut]
}

function short({ host, load, taken }: Candidate, order: PlacementOrder): string[] {
  const lacks = shortage(host, load, order)
  const reasons = lacks.length > 0 ? lacks : ['no two of them may be on one host']
  if (taken === 0) return reasons
  return reasons.map((reason) => `room for ${taken} of ${order.count} only, then ${reason}`)
}
