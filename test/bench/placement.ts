import type { Host } from '../../src/machines/host.ts'
import type { HostLoad, PlacementOrder } from '../../src/machines/placement-filters.ts'
import { place } from '../../src/machines/placement.ts'
import { placeAll } from '../../src/operations/capacity.ts'
import { type Core, openCore } from '../operations/core.ts'
import { numbers, putAll, someMachine } from './fixtures.ts'
import { cpuMillisOf, type Row } from './measure.ts'

const rounds = 7
const perHost = 20
const times = 20
const order: PlacementOrder = { cpus: 2, memoryGb: 4, count: 20, group: 'central', apart: false }

/** Twenty machines placed among more and more hosts, against a loop that only finds the freest host for each. */
export async function placementRows(): Promise<Row[]> {
  const decided = [100, 300, 1_000].map((hosts) => decisionRow(hosts))
  return [...decided, await storeRow(1_000)]
}

function decisionRow(count: number): Row {
  const hosts = farm(count)
  const load = loads(hosts)
  const ours = () => place(order, hosts, load)
  const plain = () => plainLoop(hosts, load)
  for (let turn = 0; turn < 50; turn++) {
    ours()
    plain()
  }
  const times = numbers(rounds).map(() => [millisEach(ours), millisEach(plain)] as const)
  const each = times.map(([millis]) => millis).sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0
  return {
    name: `placement: 20 machines, ${count} hosts`,
    against: 'a plain loop over the same hosts',
    ratios: times.map(([millis, loop]) => loop / millis),
    note: `${each.toFixed(2)} ms for all of them`,
  }
}

/** The whole of it in a transaction, with what is promised on each host read from the store. */
async function storeRow(count: number): Promise<Row> {
  const core = await openCore()
  const hosts = farm(count)
  await core.store.transact(async (tx) => {
    for (const known of await tx.hosts.all()) await tx.hosts.remove(known.id)
    for (const host of hosts) await tx.hosts.put(host)
  })
  await putAll(core.store, numbers(count * perHost), async (tx, n) => {
    await tx.machines.put({ ...someMachine(n), host: `h${n % count}`, attentionAt: null })
  })
  const load = loads(hosts)
  const ratios: number[] = []
  let last = 0
  for (let round = 0; round < rounds; round++) {
    const loop = millisEach(() => plainLoop(hosts, load))
    last = await millisPlaced(core, times)
    ratios.push(loop / last)
  }
  await core.close()
  return {
    name: `placement: the same, ${count * perHost} machines in the store`,
    against: 'a plain loop over the same hosts',
    ratios,
    note: `${last.toFixed(1)} ms for all of them`,
  }
}

async function millisPlaced({ store, config }: Core, turns: number): Promise<number> {
  const { site } = config
  const all = await cpuMillisOf(async () => {
    for (let turn = 0; turn < turns; turn++) await store.transact((tx) => placeAll({ tx, site }, order))
  })
  return all / turns
}

function farm(count: number): Host[] {
  return numbers(count).map((n) => ({
    id: `h${n % count}`,
    ...{ hypervisor: 'wod', version: 'bench', cpus: 32, memoryGb: 256, slots: 60, group: 'central' },
    ...{ overcommit: { cpus: 4, memory: 1 }, state: 'up', seenAt: '2026-11-23T08:00:00.000Z' },
  }))
}

function loads(hosts: readonly Host[]): Map<string, HostLoad> {
  return new Map(
    hosts.map(({ id }, index) => {
      const machines = perHost - (index % 7)
      return [id, { machines, cpus: machines, memoryGb: machines * 2 }]
    }),
  )
}

/** What anybody would write first: for each machine the host with the most memory left that can take it. */
function plainLoop(hosts: readonly Host[], load: ReadonlyMap<string, HostLoad>): string[] {
  const left = hosts.map((host) => {
    const { machines = 0, cpus = 0, memoryGb = 0 } = load.get(host.id) ?? {}
    const room = { cpus: host.cpus * host.overcommit.cpus, memoryGb: host.memoryGb * host.overcommit.memory }
    return { host, slots: host.slots - machines, cpus: room.cpus - cpus, memoryGb: room.memoryGb - memoryGb }
  })
  return numbers(order.count).flatMap(() => {
    let best: (typeof left)[number] | undefined
    for (const one of left) {
      if (one.slots < 1 || one.cpus < order.cpus || one.memoryGb < order.memoryGb) continue
      if (best === undefined || one.memoryGb > best.memoryGb) best = one
    }
    if (best === undefined) return []
    best.slots -= 1
    best.cpus -= order.cpus
    best.memoryGb -= order.memoryGb
    return [best.host.id]
  })
}

function millisEach(work: () => unknown): number {
  const start = performance.now()
  for (let turn = 0; turn < times; turn++) work()
  return (performance.now() - start) / times
}
