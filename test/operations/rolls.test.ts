import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { system } from '../../src/identity/person.ts'
import { beginConnection } from '../../src/operations/connections.ts'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import { listDesktops } from '../../src/operations/manage-pools.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { rollPool, stopRoll } from '../../src/operations/roll-pool.ts'
import { showLease } from '../../src/operations/show-lease.ts'
import { showPool } from '../../src/operations/show-pool.ts'
import { type Core, demoConfig, minute, openCore } from './core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
})
afterEach(() => core.close())

const operator = () => core.as('olga')
const roll = async (pool = 'public', atOnce = 1) =>
  core.operations.perform(rollPool, await operator(), { pool, atOnce })
const pool = async (name = 'public') => core.operations.perform(showPool, await operator(), { pool: name })
const names = async (of = 'public') =>
  (await core.operations.perform(listDesktops, await operator(), { pool: of })).items.map(({ name }) => name)
const open = async (user: string, of = 'public') =>
  core.operations.perform(openDesktop, await core.as(user), { pool: of })
const end = async (user: string, id: string) =>
  core.operations.perform(endLeaseNow, await core.as(user), { id })

describe('a new version that is rolled through a pool', () => {
  test('leaves a session in use alone, and takes its desktop once it has ended', async () => {
    const { lease, desktop } = await open('carol')
    await core.operations.perform(beginConnection, system('router'), { lease })
    await core.pass(minute)

    await roll()
    await core.settle()
    const during = await pool()
    const session = await core.operations.perform(showLease, system(), { id: lease })
    await end('carol', lease)
    await core.settle()

    expect(during.roll).toMatchObject({ state: 'rolling', left: 0, inUse: 1, fresh: 2 })
    expect(session).toMatchObject({ state: 'connected', desktop })
    expect((await pool()).roll).toMatchObject({ state: 'done', left: 0, inUse: 0, fresh: 2 })
    expect(await names()).not.toContain(desktop)
  })

  test('takes no more unused desktops at once than it was told, and never those that people need', async () => {
    await core.close()
    const many = (yaml: string) => yaml.replace('size: { spare: 2, max: 10 }', 'size: { spare: 6, max: 10 }')
    core = await openCore({ config: await demoConfig(many) })
    await core.pass(minute)
    const before = await names()
    const least: number[] = []
    core.store.onCommit(() => {
      void core.store.read((tx) => tx.desktops.count('free', 'public')).then((ready) => least.push(ready))
    })

    await roll('public', 2)
    await core.settle()

    expect(before).toHaveLength(6)
    expect((await names()).filter((name) => before.includes(name))).toEqual([])
    expect(Math.min(...least)).toBe(4)
  })

  test('leaves a person’s own desktop as it is, and remakes what is nobody’s', async () => {
    const { lease, desktop } = await open('alice', 'developers')
    await core.settle()
    await end('alice', lease)
    await core.pass(minute)

    await roll('developers')
    await core.settle()

    expect((await pool('developers')).roll).toMatchObject({ state: 'done', kept: 1, fresh: 1, left: 0 })
    expect(await names('developers')).toContain(desktop)
  })

  test('stops when it is told to, and goes on where it was', async () => {
    await open('carol')
    await core.pass(minute)
    await roll()

    const stopped = await core.operations.perform(stopRoll, await operator(), { pool: 'public' })
    await core.settle()
    const still = await names()
    const again = await roll()
    await core.settle()

    expect(stopped.roll).toMatchObject({ state: 'stopped', left: 2, inUse: 1 })
    expect(still).toEqual(['public-001', 'public-002', 'public-003'])
    expect(again.roll).toMatchObject({ state: 'rolling' })
    expect((await pool()).roll).toMatchObject({ left: 0, inUse: 1 })
  })

  test('is the one that the site’s file names, and what is of that version already stays', async () => {
    await core.close()
    const named = (yaml: string) =>
      yaml.replace('title: Office desktop\n', "title: Office desktop\n    version: '7'\n")
    core = await openCore({ config: await demoConfig(named) })
    await core.pass(minute)
    const before = await names()

    await roll()
    await core.settle()

    const { version, roll: done } = await pool()
    expect(version).toBe('7')
    expect(done).toMatchObject({ state: 'done', version: '7', fresh: 2 })
    expect(await names()).toEqual(before)
  })

  test('is the operators’ to roll and to stop, and there must be one to stop', async () => {
    const carol = await core.as('carol')

    await expect(core.operations.perform(rollPool, carol, { pool: 'public' })).rejects.toMatchObject({
      code: 'forbidden',
    })
    await expect(
      core.operations.perform(stopRoll, await operator(), { pool: 'public' }),
    ).rejects.toMatchObject({ code: 'wrong_state' })
  })
})
