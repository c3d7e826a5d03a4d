import type { Host } from './host.ts'
import type { Machine } from './machine.ts'
import { capacity, type HostLoad, plus } from './placement-filters.ts'
import { place } from './placement.ts'
import type { Goal } from './placement-score.ts'

/** A machine that would be better off on another host. */
export interface Move {
  machine: string
  from: string
  to: string
  why: string
}

export interface Proposal {
  moves: Move[]
  /** Hosts that would be empty, and could be switched off. */
  freed: string[]
  /** How full each host that it is about is now and would be: the share of its scarcest part that is promised. */
  hosts: { host: string; before: number; after: number }[]
}

export interface RebalanceFacts {
  hosts: readonly Host[]
  /** By host, those on it. */
  machines: ReadonlyMap<string, readonly Machine[]>
  load: ReadonlyMap<string, HostLoad>
  goalOf: (group: string) => Goal
  /** The most moves that are proposed. */
  most: number
}

/** A difference that is not worth a move. */
const tolerated = 0.25
/** What a move has to gain at least. */
const gain = 0.05
/** How full a host may be made to empty another: what is on it may grow, or run where its neighbour fails. */
const headroom = 0.9
const idle: HostLoad = { machines: 0, cpus: 0, memoryGb: 0 }

/**
 * What could be moved to come nearer to the goal of each group of hosts, by what is promised to machines. Hosts that are
 * spread over are brought nearer to each other, the fullest first; where machines are consolidated, whole hosts are
 * emptied, those with the fewest machines first. Machines stay with their hypervisor and their group. Nothing is changed.
 */
export function proposeRebalance(facts: RebalanceFacts): Proposal {
  const load = new Map(facts.hosts.map(({ id }) => [id, facts.load.get(id) ?? idle]))
  const moves: Move[] = []
  const freed: string[] = []
  for (const hosts of neighbourhoods(facts.hosts)) {
    const state: State = { hosts, load, machines: machinesOn(facts), moves, freed, most: facts.most }
    if (facts.goalOf(hosts[0]?.group ?? '') === 'consolidate') consolidate(state)
    else spread(state)
  }
  const touched = new Set(moves.flatMap(({ from, to }) => [from, to]))
  const hosts = facts.hosts
    .filter(({ id }) => touched.has(id))
    .map((host) => ({
      host: host.id,
      before: use(host, facts.load.get(host.id) ?? idle),
      after: use(host, load.get(host.id) ?? idle),
    }))
  return { moves, freed, hosts }
}

interface State {
  hosts: readonly Host[]
  load: Map<string, HostLoad>
  machines: Map<string, Machine[]>
  moves: Move[]
  freed: string[]
  most: number
}

/** Hosts between which machines can go. Only those that answer and are in use take part. */
function neighbourhoods(hosts: readonly Host[]): Host[][] {
  const found = new Map<string, Host[]>()
  for (const host of hosts) {
    if (host.state !== 'up') continue
    const key = JSON.stringify([host.hypervisor, host.group])
    found.set(key, [...(found.get(key) ?? []), host])
  }
  return [...found.values()]
}

function machinesOn({ machines }: RebalanceFacts): Map<string, Machine[]> {
  return new Map(Array.from(machines, ([host, all]) => [host, [...all]]))
}

/** Desktops come and go by themselves, and one that nobody claimed is not ours to move. */
export function isMovable({ state, pool, owner }: Machine): boolean {
  return pool === null && owner !== null && ['running', 'stopped', 'saved'].includes(state)
}

function spread(state: State): void {
  const done = new Set<string>()
  while (state.moves.length < state.most) {
    const byUse = [...state.hosts].sort((a, b) => useOf(state, b) - useOf(state, a))
    const fullest = byUse.find(({ id }) => !done.has(id))
    const emptiest = byUse.at(-1)
    if (fullest === undefined || emptiest === undefined) return
    const high = useOf(state, fullest)
    if (high - useOf(state, emptiest) < tolerated) return
    const best = bestFrom(state, fullest)
    if (best === undefined || best.peak > high - gain) {
      // Nothing on it would help; the next may have something.
      done.add(fullest.id)
      continue
    }
    const why = `${fullest.id} is ${percent(high)} full and ${best.to.id} ${percent(useOf(state, best.to))}`
    move(state, best.machine, fullest, best.to, why)
  }
}

/** The machine of a host, and where to, that leave the fuller of the two hosts the least full. */
function bestFrom(state: State, from: Host): { machine: Machine; to: Host; peak: number } | undefined {
  let best: { machine: Machine; to: Host; peak: number } | undefined
  const taken = new Set(state.moves.map(({ machine }) => machine))
  for (const machine of state.machines.get(from.id) ?? []) {
    if (!isMovable(machine) || taken.has(machine.id)) continue
    const to = targetFor(state, machine, from, state.hosts)
    if (to === undefined) continue
    const left = use(from, minus(state.load.get(from.id) ?? idle, machine))
    const peak = Math.max(left, use(to, plus(state.load.get(to.id) ?? idle, machine)))
    if (best === undefined || peak < best.peak) best = { machine, to, peak }
  }
  return best
}

function consolidate(state: State): void {
  const count = (host: Host) => state.load.get(host.id)?.machines ?? 0
  const inUse = state.hosts.filter((host) => count(host) > 0).sort((a, b) => count(a) - count(b))
  for (const host of inUse) empty(state, host, inUse)
}

/** Proposes to empty a host onto others that are in use, if all of it finds room there. */
function empty(state: State, host: Host, inUse: readonly Host[]): void {
  const there = state.machines.get(host.id) ?? []
  const held = state.load.get(host.id)?.machines ?? 0
  const isWhole = there.length === held && there.every(isMovable)
  const isTarget = state.moves.some(({ to }) => to === host.id)
  if (!isWhole || isTarget || state.moves.length + there.length > state.most) return
  const before = { load: new Map(state.load), moves: state.moves.length }
  const others = inUse.filter(({ id }) => id !== host.id && !state.freed.includes(id))
  const why = `${host.id} could be switched off: ${held === 1 ? 'one machine is' : `${held} machines are`} left on it`
  for (const machine of largestFirst(there)) {
    const to = targetFor(state, machine, host, others, 'consolidate')
    if (to === undefined || use(to, plus(state.load.get(to.id) ?? idle, machine)) > headroom) {
      for (const [id, load] of before.load) state.load.set(id, load)
      state.moves.length = before.moves
      return
    }
    note(state, machine, host, to, why)
  }
  state.machines.set(host.id, [])
  state.freed.push(host.id)
}

function largestFirst(machines: readonly Machine[]): Machine[] {
  return [...machines].sort((a, b) => b.memoryGb - a.memoryGb || b.cpus - a.cpus || (a.id < b.id ? -1 : 1))
}

function targetFor(
  state: State,
  { cpus, memoryGb, state: power }: Machine,
  from: Host,
  hosts: readonly Host[],
  goal: Goal = 'spread',
): Host | undefined {
  const cpu = power === 'stopped' || from.cpu === undefined ? {} : { cpu: from.cpu }
  const order = { cpus, memoryGb, count: 1, not: from.id, ...cpu }
  const outcome = place(order, hosts, state.load, new Map([[from.group, goal]]))
  return 'placed' in outcome ? hosts.find(({ id }) => id === outcome.placed[0]) : undefined
}

function move(state: State, machine: Machine, from: Host, to: Host, why: string): void {
  note(state, machine, from, to, why)
  const rest = (state.machines.get(from.id) ?? []).filter(({ id }) => id !== machine.id)
  state.machines.set(from.id, rest)
}

function note(state: State, machine: Machine, from: Host, to: Host, why: string): void {
  state.moves.push({ machine: machine.id, from: from.id, to: to.id, why })
  state.load.set(from.id, minus(state.load.get(from.id) ?? idle, machine))
  state.load.set(to.id, plus(state.load.get(to.id) ?? idle, machine))
}

function useOf(state: State, host: Host): number {
  return use(host, state.load.get(host.id) ?? idle)
}

/** A host is as full as its fullest part. */
function use(host: Host, load: HostLoad): number {
  const room = capacity(host)
  return Math.max(load.memoryGb / room.memoryGb, load.cpus / room.cpus, load.machines / host.slots)
}

function minus(load: HostLoad, { cpus, memoryGb }: Machine): HostLoad {
  return { machines: load.machines - 1, cpus: load.cpus - cpus, memoryGb: load.memoryGb - memoryGb }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
