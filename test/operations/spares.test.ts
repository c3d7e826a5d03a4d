import { afterEach, describe, expect, test } from 'vitest'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import { listPools } from '../../src/operations/list-pools.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { showPool } from '../../src/operations/show-pool.ts'
import { type Core, day, demoConfig, hour, minute, openCore } from './core.ts'

let core: Core
afterEach(() => core.close())

/** The demo site with other numbers for its shared pool. The clock starts on a Monday, at nine in Zurich. */
async function sized(size: string): Promise<void> {
  const config = await demoConfig((yaml) => yaml.replace('size: { spare: 2, max: 10 }', `size: { ${size} }`))
  core = await openCore({ config })
}

const open = async (user: string) =>
  core.operations.perform(openDesktop, await core.as(user), { pool: 'public' })
const pool = async () => core.operations.perform(showPool, await core.as('olga'), { pool: 'public' })

describe('a pool that keeps saved desktops', () => {
  test('has both kinds made before anybody asks', async () => {
    await sized('spare: 1, saved: 2, max: 6')

    const { desktops, keeps } = await pool()

    expect(desktops).toMatchObject({ ready: 1, saved: 2, coming: 0, total: 3 })
    expect(keeps).toEqual({ ready: 1, saved: 2, why: 'its usual number' })
  })

  test('wakes one for whoever finds no other ready, with progress, and puts another in its place', async () => {
    await sized('spare: 0, saved: 1, max: 6')

    const waiting = await open('carol')
    const [asleep] = (await core.operations.perform(listPools, await core.as('carol'), {})).items.slice(-1)
    await core.settle()
    const opened = await open('carol')

    expect(waiting).toMatchObject({ state: 'preparing', desktop: 'public-001' })
    expect(waiting.progress).toMatchObject({ done: 0, of: 1 })
    expect(asleep).toMatchObject({ ready: 0, saved: 0 })
    expect(opened).toMatchObject({ lease: waiting.lease, state: 'offered', desktop: 'public-001' })
    expect((await pool()).desktops).toMatchObject({ ready: 0, saved: 1, total: 2 })
  })

  test('gives a waking one to the next person when nobody waits for it any more', async () => {
    await sized('spare: 0, saved: 1, max: 1')
    const { lease } = await open('carol')
    await core.operations.perform(endLeaseNow, await core.as('carol'), { id: lease })

    const next = await open('alice')
    await core.settle()

    expect(next).toMatchObject({ state: 'preparing', desktop: null })
    expect(await open('alice')).toMatchObject({ state: 'offered', desktop: 'public-001' })
  })

  test('has whoever waits for one that cannot be woken wait for another', async () => {
    await sized('spare: 0, saved: 1, max: 6')
    core.hypervisor.fault({ on: 'start', times: 9, outage: { code: 'hypervisor_refused', transient: false } })

    const waiting = await open('carol')
    await core.settle()

    const opened = await open('carol')
    expect(opened).toMatchObject({ lease: waiting.lease, state: 'offered' })
    expect(opened.desktop).not.toBe(waiting.desktop)
  })
})

test('a desktop that comes back clean goes to whoever waits longest', async () => {
  await sized('spare: 0, max: 1')
  const first = await open('carol')
  await core.settle()
  await core.operations.perform(endLeaseNow, await core.as('carol'), { id: first.lease })
  const waiting = await open('alice')

  await core.settle()

  expect(waiting).toMatchObject({ state: 'preparing' })
  expect(await open('alice')).toMatchObject({ state: 'offered', desktop: 'public-001' })
})

describe('a pool that follows demand', () => {
  const ready = async () => (await pool()).desktops.ready

  test('keeps as many ready as were asked for at this time of the week, and says so', async () => {
    await sized('spare: 1, saved: 1, max: 10, demand: { weeks: 2 }')
    await Promise.all(['alice', 'bob', 'carol'].map(open))
    await core.pass(7 * day - hour)
    const before = await ready()

    await core.pass(hour)
    const { keeps, desktops } = await pool()
    await core.pass(hour)

    expect(before).toBe(1)
    expect(desktops.ready).toBe(3)
    expect(keeps).toEqual({ ready: 3, saved: 1, why: 'opened from 09:00 to 09:30: 3 on 2026-11-23' })
    expect((await pool()).keeps.ready).toBe(1)
  })

  test('counts each opening once, and not those of who has a session', async () => {
    await sized('spare: 1, max: 10, demand: {}')
    await open('alice')
    await core.pass(8 * minute)
    await open('alice')
    await core.pass(8 * minute)
    await open('alice')
    await core.pass(20 * minute)

    const seen = await core.store.read((tx) => tx.demand.get('public|2026-11-23'))

    expect(seen?.opened.slice(36, 40)).toEqual([1, 0, 0, 0])
  })
})
