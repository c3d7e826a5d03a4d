import type { HostRule } from '../machines/host.ts'
import { refused } from './outages.ts'
import { type SimulatedMachine, takesRoom } from './simulated-machine.ts'
import type { SimulatorRule } from './simulator-rule.ts'

/** What machines take of a host. Memory in whole MB, so that adding and taking away comes out even. */
interface Room {
  slots: number
  cpus: number
  memoryMb: number
}

/** What each host has given away, kept as a sum so that asking costs the same however many machines there are. */
export interface RoomLedger {
  add(machine: SimulatedMachine): void
  subtract(machine: SimulatedMachine): void
  /** @throws Outage `hypervisor_refused` when `after` takes more than `before` did and its host has not got it. */
  check(before: SimulatedMachine | undefined, after: SimulatedMachine): void
}

export function roomLedger(rule: Pick<SimulatorRule, 'hosts' | 'overcommit'>): RoomLedger {
  const limits = new Map(rule.hosts.map((host) => [host.name, limit(host, rule.overcommit)]))
  const given = new Map<string, Room>()

  function change(machine: SimulatedMachine, sign: 1 | -1): void {
    given.set(machine.host, sum(given.get(machine.host), taken(machine), sign))
  }

  return {
    add: (machine) => change(machine, 1),
    subtract: (machine) => change(machine, -1),
    check(before, after) {
      const limit = limits.get(after.host)
      if (limit === undefined) return
      // One that comes from another host takes all of its room anew.
      const now = before?.host === after.host ? taken(before) : none
      const wanted = taken(after)
      const others = sum(given.get(after.host), now, -1)
      for (const part of ['slots', 'cpus', 'memoryMb'] as const) {
        // What is there stays, even where the site's file has made its host smaller since.
        if (wanted[part] <= now[part] || others[part] + wanted[part] <= limit[part]) continue
        throw refused(`Host ${after.host} has no room for ${after.name}: it is out of ${words[part]}.`)
      }
    },
  }
}

const none: Room = { slots: 0, cpus: 0, memoryMb: 0 }
const words = { slots: 'slots', cpus: 'processors', memoryMb: 'memory' }

/** A machine takes a slot while it exists, processors and memory while it holds them. */
function taken(machine: SimulatedMachine): Room {
  if (!takesRoom(machine)) return { ...none, slots: 1 }
  return { slots: 1, cpus: machine.cpus, memoryMb: Math.round(machine.memoryGb * 1024) }
}

function limit(host: HostRule, overcommit: SimulatorRule['overcommit']): Room {
  const memoryMb = Math.round(host.memoryGb * overcommit.memory * 1024)
  return { slots: host.slots, cpus: host.cpus * overcommit.cpus, memoryMb }
}

function sum(room: Room = none, other: Room, sign: 1 | -1): Room {
  return {
    slots: room.slots + sign * other.slots,
    cpus: room.cpus + sign * other.cpus,
    memoryMb: room.memoryMb + sign * other.memoryMb,
  }
}
