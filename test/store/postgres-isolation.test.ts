import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { postgres } from '../../src/store/postgres.ts'
import type { Store, Transaction } from '../../src/store/store.ts'
import { type Cluster, emptied, freshSchema, missingServer, openCluster } from './cluster.ts'
import { aDesktop, aLease } from './documents.ts'

describe.skipIf(missingServer !== undefined)(`transactions of two processes ${missingServer ?? ''}`, () => {
  const schema = freshSchema()
  let cluster: Cluster
  let stores: [Store, Store]
  beforeAll(async () => {
    cluster = await openCluster()
    const open = () => postgres({ url: cluster.url, schema, log: silentLog })
    stores = [await open(), await open()]
  })
  beforeEach(() => emptied(cluster, schema))
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()))
    await cluster.dispose()
  })

  /** Runs both at once, one in each process, again and again. */
  const race = async (
    rounds: number,
    prepare: () => Promise<void>,
    pair: [Work, Work],
    holds: () => Promise<void>,
  ) => {
    for (let round = 0; round < rounds; round++) {
      await prepare()
      await Promise.all(pair.map((work, index) => stores[index === 0 ? 0 : 1].transact(work)))
      await holds()
    }
  }
  type Work = (tx: Transaction) => Promise<void>

  test('of two that each leave if another stays, one stays', async () => {
    const leave =
      (id: string): Work =>
      async (tx) => {
        const spare = await tx.desktops.find('free', 'office')
        if (spare.length > 1) await tx.desktops.put(aDesktop({ id, state: 'gone' }))
      }
    const prepare = () =>
      stores[0].transact(async (tx) => {
        await tx.desktops.put(aDesktop({ id: 'desk1' }))
        await tx.desktops.put(aDesktop({ id: 'desk2' }))
      })

    await race(40, prepare, [leave('desk1'), leave('desk2')], async () => {
      expect(await stores[0].read((tx) => tx.desktops.count('free', 'office'))).toBe(1)
    })
  })

  test('nobody waits for a desktop while a desktop waits for nobody', async () => {
    const ask: Work = async (tx) => {
      const desktop = await tx.desktops.claim('free', 'office')
      if (desktop !== undefined) await tx.desktops.put({ ...desktop, state: 'leased' })
      else await tx.leases.put(aLease({ state: 'preparing', desktop: null }))
    }
    const clean: Work = async (tx) => {
      const desktop = await tx.desktops.get('desk1')
      const [waiting] = await tx.leases.find('waiting', 'office')
      if (waiting !== undefined) await tx.leases.put({ ...waiting, state: 'offered', desktop: 'desk1' })
      else await tx.desktops.put({ ...(desktop ?? aDesktop()), state: 'spare' })
    }
    const prepare = () =>
      stores[0].transact(async (tx) => {
        await tx.desktops.put(aDesktop({ state: 'resetting' }))
        await tx.leases.remove('L-1')
      })

    await race(40, prepare, [ask, clean], async () => {
      const [waiting, spare] = await stores[1].read(async (tx) => [
        await tx.leases.count('waiting', 'office'),
        await tx.desktops.count('free', 'office'),
      ])
      expect(waiting === 1 && spare === 1).toBe(false)
    })
  })

  test('of two that each come unless the other is there, one comes', async () => {
    const come =
      (id: string, other: string): Work =>
      async (tx) => {
        if ((await tx.counters.get(other)) === undefined) await tx.counters.put({ id, value: 1 })
      }
    const prepare = () =>
      stores[0].transact(async (tx) => {
        await tx.counters.remove('a')
        await tx.counters.remove('b')
      })

    await race(40, prepare, [come('a', 'b'), come('b', 'a')], async () => {
      expect(await stores[0].read((tx) => tx.counters.all())).toHaveLength(1)
    })
  })

  test('what many transactions of all kinds saw and wrote fits some order of them, one after the other', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e']
    await stores[0].transact(async (tx) => {
      for (const id of ids.slice(0, 3)) await tx.counters.put({ id, value: 0 })
    })
    const dice = chances(42)
    const records: Seen[] = []
    const one = async (number: number) => {
      const [read, write] = [dice(ids), dice(ids)]
      const how = dice(['get', 'get', 'get', 'all', 'page'])
      const store = dice(stores)
      records.push(await store.transact((tx) => lookAndStamp(tx, { number, read, write, how })))
    }

    for (let number = 1; number < 400; number += 12) {
      await Promise.all(Array.from({ length: 12 }, (_, index) => one(number + index)))
    }

    expect(new Set(records.map(overwrote)).size).toBe(records.length)
    expect(circleIn(edgesOf(records))).toBeUndefined()
  })
})

/** What one transaction saw: who had written each counter last (0 is the beginning), and which one it wrote. */
interface Seen {
  number: number
  saw: Map<string, number>
  wrote: string
}

async function lookAndStamp(
  tx: Transaction,
  { number, read, write, how }: { number: number; read: string; write: string; how: string },
): Promise<Seen> {
  const saw = new Map<string, number>()
  if (how === 'get') saw.set(read, (await tx.counters.get(read))?.value ?? 0)
  else {
    const found = how === 'all' ? await tx.counters.all() : (await tx.counters.page({ limit: 9 })).items
    for (const id of ['a', 'b', 'c', 'd', 'e']) saw.set(id, found.find((one) => one.id === id)?.value ?? 0)
  }
  saw.set(write, (await tx.counters.get(write))?.value ?? 0)
  await tx.counters.put({ id: write, value: number })
  return { number, saw, wrote: write }
}

/** Which value it wrote over: each can be written over once only. */
function overwrote({ saw, wrote }: Seen): string {
  return `${wrote} ${saw.get(wrote)}`
}

/** Who must have come before whom: a writer before who saw it, and who saw a value before who wrote over that. */
function edgesOf(records: readonly Seen[]): Map<number, number[]> {
  const successor = new Map(records.map((seen) => [overwrote(seen), seen.number]))
  const edges = new Map<number, number[]>()
  const add = (from: number, to: number) => {
    if (from !== to) edges.set(from, [...(edges.get(from) ?? []), to])
  }
  for (const { number, saw } of records) {
    for (const [id, value] of saw) {
      add(value, number)
      const next = successor.get(`${id} ${value}`)
      if (next !== undefined) add(number, next)
    }
  }
  return edges
}

function circleIn(edges: ReadonlyMap<number, readonly number[]>): number | undefined {
  const done = new Set<number>()
  const visit = (at: number, above: ReadonlySet<number>): number | undefined => {
    if (above.has(at)) return at
    if (done.has(at)) return undefined
    for (const next of edges.get(at) ?? []) {
      const found = visit(next, new Set([...above, at]))
      if (found !== undefined) return found
    }
    done.add(at)
    return undefined
  }
  for (const at of edges.keys()) {
    const found = visit(at, new Set())
    if (found !== undefined) return found
  }
  return undefined
}

/** Draws that are the same in each run. */
function chances(seed: number): <T>(from: readonly [T, ...T[]] | readonly T[]) => T {
  let state = seed
  return (from) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    const drawn = from[Math.floor((state / 2_147_483_648) * from.length)]
    if (drawn === undefined) throw new Error('there is something to draw from')
    return drawn
  }
}
