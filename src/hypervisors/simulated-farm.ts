import { assert } from '../base/errors.ts'
import type { HostStatus } from './hypervisor.ts'
import { hostUnreachable, refused } from './outages.ts'
import type { SimulatedMachine } from './simulated-machine.ts'
import { roomLedger } from './simulated-room.ts'
import type { SimulatorRule } from './simulator-rule.ts'

/** Hosts and machines in memory. Everything but `all` and `hosts` costs the same however many machines there are. */
export interface Farm {
  readonly size: number
  get(ref: string): SimulatedMachine | undefined
  all(): Iterable<SimulatedMachine>
  /** Adds or replaces. @throws Outage `hypervisor_refused` when it wants more room than its host has left. */
  put(machine: SimulatedMachine): void
  remove(ref: string): void
  hosts(): HostStatus[]
  responds(host: string): boolean
  /** @throws Outage `host_unreachable` when a host that machines are on does not respond. */
  reach(host: string): void
  /** @throws Outage `hypervisor_refused` when a host that a machine is to be made on does not exist. */
  checkHost(host: string): void
  setHost(host: string, facts: { reachable: boolean }): void
  /** An address that no machine has: from 10.128.0.0/16, or a name once those are used up. */
  freeAddress(name: string): string
}

export function openFarm(
  rule: Pick<SimulatorRule, 'hosts' | 'overcommit'>,
  remembered: Iterable<SimulatedMachine>,
): Farm {
  const known = new Set(rule.hosts.map((host) => host.name))
  const silent = new Set<string>()
  const machines = new Map<string, SimulatedMachine>()
  const ledger = roomLedger(rule)
  const addresses = addressPool()

  function letGo(machine: SimulatedMachine | undefined): void {
    if (machine === undefined) return
    ledger.subtract(machine)
    addresses.release(machine.address)
  }

  function add(machine: SimulatedMachine): void {
    letGo(machines.get(machine.ref))
    machines.set(machine.ref, machine)
    ledger.add(machine)
    addresses.take(machine.address)
  }

  // A host that is no longer in the site's file cannot answer for the machines that were on it.
  function responds(host: string): boolean {
    return known.has(host) && !silent.has(host)
  }

  for (const machine of remembered) add(machine)

  return {
    get size() {
      return machines.size
    },
    get: (ref) => machines.get(ref),
    all: () => machines.values(),
    put(machine) {
      ledger.check(machines.get(machine.ref), machine)
      add(machine)
    },
    remove(ref) {
      letGo(machines.get(ref))
      machines.delete(ref)
    },
    hosts: () =>
      rule.hosts.map((host) => ({ ...host, version: 'simulated', reachable: responds(host.name) })),
    responds,
    reach(host) {
      if (!responds(host)) throw hostUnreachable(host)
    },
    checkHost(host) {
      if (!known.has(host)) throw refused(`There is no host ${host}.`)
    },
    setHost(host, { reachable }) {
      assert(known.has(host), `the simulator has no host ${host}`)
      if (reachable) silent.delete(host)
      else silent.add(host)
    },
    freeAddress: (name) => addresses.free() ?? `${name}.local`,
  }
}

/** How many addresses 10.128.0.0/16 has for guests. */
const poolSize = 65_534

function addressPool() {
  const taken = new Set<string>()
  let cursor = 1
  const text = (n: number) => `10.128.${n >> 8}.${n & 255}`
  return {
    take: (address: string | null) => address !== null && taken.add(address),
    release: (address: string | null) => address !== null && taken.delete(address),
    free(): string | undefined {
      // Names do not come from the pool, but a farm that gives out names has used it up anyhow.
      if (taken.size >= poolSize) return undefined
      while (taken.has(text(cursor))) cursor = (cursor % poolSize) + 1
      return text(cursor)
    },
  }
}
