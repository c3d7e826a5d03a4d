import type { Host } from './host.ts'
import { capacity, type HostLoad } from './placement-filters.ts'

/** What a group of hosts is after: machines evenly on all of them, or on as few as can be. */
export type Goal = 'spread' | 'consolidate'

/** How well a host would do, in stars from 0 to 5 in halves, as SCVMM rates hosts. */
export interface Score {
  stars: number
  /** The share that would stay free of each part, 0 to 1. A host is as full as its fullest part. */
  free: { memory: number; cpus: number; slots: number }
}

/** The score of a host with this load, which has what is to be placed in it already. */
export function scoreOf(host: Host, load: HostLoad, goal: Goal): Score {
  const free = freeShares(host, load)
  return { stars: starsOf(worth(host, load, goal)), free }
}

/** What ranks hosts, 0 to 1: how free it would stay where machines are spread, how full where they are consolidated. */
export function worth(host: Host, load: HostLoad, goal: Goal): number {
  const left = least(freeShares(host, load))
  return goal === 'spread' ? left : 1 - left
}

function freeShares(host: Host, load: HostLoad): Score['free'] {
  const room = capacity(host)
  return {
    memory: 1 - load.memoryGb / room.memoryGb,
    cpus: 1 - load.cpus / room.cpus,
    slots: 1 - load.machines / host.slots,
  }
}

function least({ memory, cpus, slots }: Score['free']): number {
  return Math.min(memory, cpus, slots)
}

function starsOf(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 10) / 2
}
