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
  /** Only hosts that make machines from this template. */
  template?: string
  /** What the processors are that it runs on: it can go on only on the same. */
  cpu?: string
  /** Not this host: the machine is there, and is to go. */
  not?: string
  /** No two of them on one host, ever. Otherwise that is so as long as it can be. */
  apart?: boolean
}

/** What is promised on a host already. */
export interface HostLoad extends Size {
  machines: number
}

// Memory may be a fraction of a GB, and sums of fractions are not exact.
const tolerance = 1e-9

/** Reasons that have nothing to do with room. */
export function standing(host: Host, order: PlacementOrder): string[] {
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
  const { template, cpu } = order
  if (template !== undefined && host.templates?.includes(template) === false) {
    return [`has no template ${template}`]
  }
  if (cpu !== undefined && host.cpu !== undefined && host.cpu !== cpu) {
    return [`has other processors: ${host.cpu}, and it runs on ${cpu}`]
  }
  return []
}

/** Whether there is room for one more, without the words. */
export function hasRoom(host: Host, load: HostLoad, order: Size): boolean {
  const room = capacity(host)
  return (
    load.machines < host.slots &&
    load.memoryGb + order.memoryGb <= room.memoryGb + tolerance &&
    load.cpus + order.cpus <= room.cpus + tolerance
  )
}

/** What there is too little of, in words. */
export function shortage(host: Host, load: HostLoad, order: Size): string[] {
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

/** Whether an order is about a host at all, whatever its state. */
export function isMeant(host: Host, order: PlacementOrder): boolean {
  return (order.host ?? host.id) === host.id && (order.group ?? host.group) === host.group
}

/** What may be promised on a host, in virtual CPUs and GB. */
export function capacity(host: Host): Size {
  return {
    cpus: host.cpus * host.overcommit.cpus,
    memoryGb: host.memoryGb * host.overcommit.memory,
  }
}

export function plus(load: HostLoad, size: Size): HostLoad {
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
