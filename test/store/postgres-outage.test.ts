import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Outage } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log.ts'
import { postgres } from '../../src/store/postgres.ts'
import type { Store } from '../../src/store/store.ts'
import { type Cluster, freshSchema, missingServer, openCluster } from './cluster.ts'
import { aMessage } from './documents.ts'
import { valueOf } from './opened.ts'

describe.skipIf(missingServer !== undefined)(`a server that goes away ${missingServer ?? ''}`, () => {
  const schema = freshSchema()
  let cluster: Cluster
  let store: Store
  beforeAll(async () => {
    cluster = await openCluster()
    store = await postgres({ url: cluster.url, schema, log: silentLog })
  })
  afterAll(async () => {
    await store.close()
    await cluster.dispose()
  })

  /** People at work who repeat what failed, each time under a new id: what was acknowledged, and what is not known. */
  const crowd = (size: number) => {
    const acknowledged = new Set<string>()
    const failed: { id: string; error: unknown }[] = []
    let isOver = false
    const one = async (name: number) => {
      for (let n = 0; !isOver; n++) {
        const id = `m-${name}-${n}`
        try {
          await store.transact(async (tx) => {
            const value = ((await tx.counters.get('all'))?.value ?? 0) + 1
            await tx.counters.put({ id: 'all', value })
            await tx.messages.put(aMessage(id))
          })
          acknowledged.add(id)
        } catch (error) {
          failed.push({ id, error })
        }
      }
    }
    const done = Promise.all(Array.from({ length: size }, (_, name) => one(name)))
    const more = (count: number) => {
      const goal = acknowledged.size + count
      return vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(goal), { timeout: 20_000 })
    }
    const stop = () => {
      isOver = true
      return done
    }
    return { acknowledged, failed, more, stop }
  }

  test.each([
    ['crashes', 'immediate'],
    ['is stopped', 'fast'],
  ] as const)(
    'when it %s under load, everything acknowledged is there, nothing is there twice, and work goes on by itself',
    async (_, mode) => {
      const before = (await valueOf(store, 'all')) ?? 0
      const people = crowd(8)
      await people.more(50)

      await cluster.stop(mode)
      await vi.waitFor(() => expect(store.health().writable).toBe(false))
      const seen = store.health()
      await cluster.start()
      await people.more(50)
      await people.stop()

      const { messages, value } = await store.read(async (tx) => ({
        messages: new Set((await tx.messages.all()).map(({ id }) => id)),
        value: await tx.counters.get('all'),
      }))
      expect([...people.acknowledged].filter((id) => !messages.has(id))).toEqual([])
      expect(value?.value).toBe(messages.size)
      expect(messages.size - before).toBeLessThanOrEqual(people.acknowledged.size + people.failed.length)
      expect(people.failed.length).toBeGreaterThan(0)
      expect(people.failed.filter(({ error }) => !isUnwritable(error))).toEqual([])
      expect(seen.reason).not.toBeNull()
      expect(store.health()).toEqual({ writable: true, reason: null })
      await store.transact(async (tx) => {
        for (const id of messages) await tx.messages.remove(id)
        await tx.counters.remove('all')
      })
    },
  )

  test('while nobody writes, health sees the outage and its end', async () => {
    await cluster.stop('fast')
    await vi.waitFor(() => expect(store.health().writable).toBe(false), { timeout: 10_000 })
    await cluster.start()

    await vi.waitFor(() => expect(store.health()).toEqual({ writable: true, reason: null }), {
      timeout: 10_000,
    })
  })

  test('connections that the server closed while they were idle are not noticed by anybody', async () => {
    await Promise.all(Array.from({ length: 5 }, () => valueOf(store, 'x')))
    await cluster.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'jackdaw'",
    )

    const values = await Promise.all(Array.from({ length: 5 }, () => valueOf(store, 'x')))

    expect(values).toEqual(Array.from({ length: 5 }, () => undefined))
  })

  test('a transaction whose connection is cut before it commits is run again', async () => {
    let runs = 0

    await store.transact(async (tx) => {
      const before = await tx.counters.all()
      if (runs++ === 0) {
        await cluster.sql(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'jackdaw'",
        )
      }
      await tx.counters.put({ id: 'cut', value: before.length })
    })

    expect(runs).toBe(2)
    expect(await valueOf(store, 'cut')).toBe(0)
  })

  test('a process that stops in the middle of a transaction does not hold up the others for ever', async () => {
    const other = await postgres({ url: cluster.url, schema, log: silentLog })
    let go: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (go = resolve))
    let runs = 0
    const asleep = other.transact(async (tx) => {
      await tx.counters.put({ id: 'shared', value: 1 + (await tx.counters.all()).length })
      await tx.counters.all()
      if (runs++ === 0) await gate
    })
    await vi.waitFor(() => expect(runs).toBe(1))

    await store.transact(async (tx) => tx.counters.put({ id: 'shared', value: 7 }))
    const value = await valueOf(store, 'shared')
    go()
    await asleep

    expect(value).toBe(7)
    await other.close()
  })

  test('an address where nobody answers is an outage that says so, and the password is not part of it', async () => {
    const url = 'postgres://jackdaw:secret@127.0.0.1:1/site'

    const failure: unknown = await postgres({ url, log: silentLog }).catch((error: unknown) => error)

    expect(failure).toMatchObject({ code: 'store_unwritable', transient: true })
    expect(String(failure)).toContain('ECONNREFUSED')
    expect(String(failure)).not.toContain('secret')
  })
})

function isUnwritable(error: unknown): boolean {
  return error instanceof Outage && error.code === 'store_unwritable' && error.transient
}
