import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { system } from '../../src/identity/person.ts'
import { mostSilentLooks, openPresence, type Presence } from '../../src/jobs/presence.ts'
import { beginConnection, endConnection } from '../../src/operations/connections.ts'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { showLease } from '../../src/operations/show-lease.ts'
import type { Store } from '../../src/store/store.ts'
import { type Core, openCore } from '../operations/core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
})
afterEach(() => core.close())

const forgotten = vi.fn(async () => undefined)
const router = system('router')

function presence(process: string, store: Store = core.store): Presence {
  forgotten.mockClear()
  return openPresence({ store, operations: core.operations, log: silentLog, process, forgotten })
}

async function leaseOf(user: string): Promise<string> {
  return (await core.operations.perform(openDesktop, await core.as(user), { pool: 'public' })).lease
}

async function connect(lease: string, process: string): Promise<void> {
  await core.operations.perform(beginConnection, router, { lease, process })
}

async function hangUp(lease: string, process: string): Promise<void> {
  await core.operations.perform(endConnection, router, { lease, reason: 'client_closed', process })
}

async function stateOf(id: string): Promise<string> {
  return (await core.operations.perform(showLease, router, { id })).state
}

async function beats(one: Presence, times: number): Promise<void> {
  for (let each = 0; each < times; each++) await one.beat()
}

describe('connections of several processes', () => {
  test('add up: a lease is disconnected when the last one on any process is over', async () => {
    const lease = await leaseOf('alice')
    await connect(lease, 'P-1')
    await connect(lease, 'P-2')

    await hangUp(lease, 'P-1')
    const between = await stateOf(lease)
    await hangUp(lease, 'P-2')

    expect([between, await stateOf(lease)]).toEqual(['connected', 'disconnected'])
  })

  test('of a lost process are forgotten, twice for one lease too, and those of others are untouched', async () => {
    const [lost, kept] = [await leaseOf('alice'), await leaseOf('carol')]
    await presence('P-1').beat()
    const other = presence('P-2')
    await connect(lost, 'P-1')
    await connect(lost, 'P-1')
    await connect(kept, 'P-2')

    await beats(other, mostSilentLooks)
    const soon = await stateOf(lost)
    await other.beat()

    expect([soon, await stateOf(lost), await stateOf(kept)]).toEqual([
      'connected',
      'disconnected',
      'connected',
    ])
  })

  test('that were forgotten take nothing away from those that came after when their end is told', async () => {
    const lease = await leaseOf('alice')
    const [first, second] = [presence('P-1'), presence('P-2')]
    await first.beat()
    await connect(lease, 'P-1')
    await beats(second, mostSilentLooks + 1)
    await connect(lease, 'P-2')

    await hangUp(lease, 'P-1')

    expect(await stateOf(lease)).toBe('connected')
  })

  test('of a process that gave no sign before it was lost are forgotten by the next that starts', async () => {
    const lease = await leaseOf('alice')
    await connect(lease, 'P-0')
    const next = presence('P-1')

    await next.start()

    expect(await stateOf(lease)).toBe('disconnected')
    await next.stop()
  })

  test('leave nothing behind when their lease has ended', async () => {
    const lease = await leaseOf('alice')
    await connect(lease, 'P-1')
    await core.operations.perform(endLeaseNow, await core.as('alice'), { id: lease })

    await hangUp(lease, 'P-1')

    expect(await core.store.read((tx) => tx.relays.all())).toEqual([])
    expect(await stateOf(lease)).toBe('ended')
  })
})

describe('a process', () => {
  test('that gives signs of life is never lost, however long the others look', async () => {
    const [first, second] = [presence('P-1'), presence('P-2')]
    const lease = await leaseOf('alice')
    await first.beat()
    await connect(lease, 'P-1')

    for (let each = 0; each < 4 * mostSilentLooks; each++) {
      await second.beat()
      if (each % 2 === 0) await first.beat()
    }

    expect(await stateOf(lease)).toBe('connected')
    expect(forgotten).not.toHaveBeenCalled()
  })

  test('that was taken for lost cuts what it relays, and is one of them again', async () => {
    const [first, second] = [presence('P-1'), presence('P-2')]
    const lease = await leaseOf('alice')
    await first.beat()
    await beats(second, mostSilentLooks + 1)

    await first.beat()
    await connect(lease, 'P-1')
    await second.beat()
    await first.beat()

    expect(forgotten).toHaveBeenCalledTimes(1)
    expect(await stateOf(lease)).toBe('connected')
  })

  test('that stops takes its leave: nobody looks for it any more', async () => {
    const [first, second] = [presence('P-1'), presence('P-2')]
    await first.beat()
    await second.beat()

    await first.stop()
    await first.stop()

    expect(await core.store.read((tx) => tx.processes.all())).toEqual([{ id: 'P-2', count: 1 }])
    expect(forgotten).not.toHaveBeenCalled()
  })

  test('is not lost because the store was away for those who look', async () => {
    const lease = await leaseOf('alice')
    await presence('P-1').beat()
    await connect(lease, 'P-1')
    const { store } = core
    let isAway = false
    const away: Store = {
      shared: true,
      transact: (work) => (isAway ? Promise.reject(new Error('away')) : store.transact(work)),
      read: (work) => store.read(work),
      onCommit: (listener) => store.onCommit(listener),
      health: () => store.health(),
      close: () => store.close(),
    }
    const second = presence('P-2', away)
    await second.beat()

    isAway = true
    const looks = await Promise.allSettled(Array.from({ length: 10 }, () => second.beat()))
    isAway = false
    await second.beat()

    expect(looks.every(({ status }) => status === 'rejected')).toBe(true)
    expect(await stateOf(lease)).toBe('connected')
  })
})
