import { counted, list } from '../base/text.ts'
import type { Host } from './host.ts'
import type { Size } from './machine.ts'

export interface PlacementOrder extends Size {
  count: number
  /** Only hosts of this group; any when absent. */
  group?: string
  /** Only this host: an operator pinned it. */
  host?: string
  /** Only hosts of this hypervisor: what the machine is made from is there. */
  hypervisor?: string
  /** Not this host: the machine is there, and is to go. */
  not?: string
}

/** What is promised on a host already. */
export interface HostLoad extends Size {
  machines: number
}

export interface HostRefusal {
  host: string
  reasons: string[]
}

export type Placement = { placed: string[] } | { refused: HostRefusal[] }

// Memory may be a fraction of a GB, and sums of fractions are not exact.
const tolerance = 1e-9
const idle: HostLoad = { machines: 0, cpus: 0, memoryGb: 0 }

/**
 * Finds a host for each machine of an order, or for none of them. Machines go to different hosts where they can, then
 * to the host with the greatest free share, then to the first name. `load` is by host name.
 * @returns a host per machine, or each host with the reasons why it cannot take (another) one.
 */
export function place(
  order: PlacementOrder,
  hosts: readonly Host[],
  load: ReadonlyMap<string, HostLoad>,
): Placement {
  const open = hosts
    .filter((host) => standing(host, order).length === 0)
    .map((host) => ({ host, load: load.get(host.id) ?? idle, taken: 0 }))
  const placed: string[] = []
  while (placed.length < order.count) {
    const best = bestOf(order, open)
    if (best === undefined) return { refused: refusals(order, hosts, open) }
    best.load = plus(best.load, order)
    best.taken += 1
    placed.push(best.host.id)
  }
  return { placed }
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
  /** Machines of this order that it has been given. */
  taken: number
}

function bestOf(order: PlacementOrder, open: readonly Candidate[]): Candidate | undefined {
  let best: { candidate: Candidate; share: number } | undefined
  for (const candidate of open) {
    if (shortage(candidate.host, candidate.load, order).length > 0) continue
    const share = freeShare(candidate.host, plus(candidate.load, order))
    if (best === undefined || goesBefore(candidate, share, best)) best = { candidate, share }
  }
  return best?.candidate
}

function goesBefore(one: Candidate, share: number, other: { candidate: Candidate; share: number }): boolean {
  if (one.taken !== other.candidate.taken) return one.taken < other.candidate.taken
  if (share !== other.share) return share > other.share
  return one.host.id < other.candidate.host.id
}

/** Reasons that have nothing to do with room. */
function standing(host: Host, order: PlacementOrder): string[] {
  if (order.host !== undefined && host.id !== order.host) return ['is not the host asked for']
  if (order.group !== undefined && host.group !== order.group) {
    return [`is in group ${host.group}, not ${order.group}`]
  }
  if (host.id === order.not) return ['is where it is now']
  if (order.hypervisor !== undefined && host.hypervisor !== order.hypervisor) {
    return [`is of ${host.hypervisor}, not of ${order.hypervisor}`]
  }
  if (host.state === 'down') return ['is down']
  if (host.state === 'draining') return ['is draining']
  return []
}

function shortage(host: Host, load: HostLoad, order: PlacementOrder): string[] {
  const room = capacity(host)
  const reasons: string[] = []
  if (load.machines >= host.slots) reasons.push('no free guest slot')
  if (load.memoryGb + order.memoryGb > room.memoryGb + tolerance) {
    reasons.push(
      `not enough memory: ${free(room.memoryGb, load.memoryGb)} of ${figure(room.memoryGb)} GB free`,
    )
  }
  if (load.cpus + order.cpus > room.cpus + tolerance) {
    reasons.push(`not enough CPUs: ${free(room.cpus, load.cpus)} of ${figure(room.cpus)} free`)
  }
  return reasons
}

function refusals(order: PlacementOrder, hosts: readonly Host[], open: readonly Candidate[]): HostRefusal[] {
  const full = open.map(({ host, load, taken }) => ({
    host: host.id,
    reasons: short(host, load, taken, order),
  }))
  // Hosts that were out of the question come last: the reader wants to know what could be freed.
  const near = hosts.filter((host) => isMeant(host, order) && host.state !== 'up')
  const far = hosts.filter((host) => !isMeant(host, order))
  const shut = [...near, ...far].map((host) => ({ host: host.id, reasons: standing(host, order) }))
  const asked = order.host
  const unknown = asked === undefined || hosts.some((host) => host.id === asked) ? [] : [asked]
  return [...unknown.map((host) => ({ host, reasons: ['is not known'] })), ...full, ...shut]
}

function short(host: Host, load: HostLoad, taken: number, order: PlacementOrder): string[] {
  const reasons = shortage(host, load, order)
  if (taken === 0) return reasons
  return reasons.map((reason) => `room for ${taken} of ${order.count} only, then ${reason}`)
}

function isMeant(host: Host, order: PlacementOrder): boolean {
  return (order.host ?? host.id) === host.id && (order.group ?? host.group) === host.group
}

/** What may be promised on a host, in virtual CPUs and GB. */
function capacity(host: Host): Size {
  return {
    cpus: host.cpus * host.overcommit.cpus,
    memoryGb: host.memoryGb * host.overcommit.memory,
  }
}

/** The share that stays free of whatever is scarcest: a host is as full as its fullest part. */
function freeShare(host: Host, load: HostLoad): number {
  const room = capacity(host)
  return Math.min(
    1 - load.memoryGb / room.memoryGb,
    1 - load.cpus / room.cpus,
    1 - load.machines / host.slots,
  )
}

function plus(load: HostLoad, size: Size): HostLoad {
  return {
    machines: load.machines + 1,
    cpus: load.cpus + size.cpus,
    memoryGb: load.memoryGb + size.memoryGb,
  }
}

function free(room: number, taken: number): string {
  return figure(Math.max(0, room - taken))
}

function figure(amount: number): string {
  return String(Math.round(amount * 100) / 100)
}
