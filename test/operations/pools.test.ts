import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { system } from '../../src/identity/person.ts'
import { beginConnection } from '../../src/operations/connections.ts'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import {
  closePool,
  drainPool,
  listDesktops,
  reopenPool,
  resetDesktopAgain,
} from '../../src/operations/manage-pools.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { showLease } from '../../src/operations/show-lease.ts'
import { type Core, demoConfig, hour, minute, openCore } from './core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
})
afterEach(() => core.close())

async function restart(edit: (yaml: string) => string, at?: string): Promise<void> {
  await core.close()
  core = await openCore({ config: await demoConfig(edit), ...(at === undefined ? {} : { at }) })
}

const open = async (user: string, pool: string) =>
  core.operations.perform(openDesktop, await core.as(user), { pool })
const lease = (id: string) => core.operations.perform(showLease, system(), { id })
const operator = () => core.as('olga')
const sit = (id: string) => core.operations.perform(beginConnection, system('router'), { lease: id })

describe('a pool that an operator', () => {
  test('drains takes nobody new, and those who are there go on', async () => {
    const { lease: id } = await open('carol', 'public')
    const drained = await core.operations.perform(drainPool, await operator(), {
      pool: 'public',
      reason: 'new image',
    })

    await expect(open('alice', 'public')).rejects.toMatchObject({ code: 'pool_closed' })
    await expect(open('carol', 'public')).resolves.toMatchObject({ lease: id })
    expect(drained).toMatchObject({ state: 'draining', sessions: 1 })
  })

  test('closes warns those who are there, then ends their sessions and says why', async () => {
    const { lease: id } = await open('carol', 'public')
    await sit(id)
    await core.operations.perform(closePool, await operator(), { pool: 'public' })
    await core.settle()
    const warned = core.told.notices.filter(({ notice }) => notice.kind === 'lease-ending')
    const before = await lease(id)

    await core.pass(5 * minute)

    expect(warned.map(({ user }) => user)).toEqual(['carol'])
    expect(before.state).toBe('connected')
    expect(await lease(id)).toMatchObject({ state: 'ended', endReason: 'pool_closed' })
  })

  test('reopens takes people again', async () => {
    await core.operations.perform(closePool, await operator(), { pool: 'public' })
    await core.operations.perform(reopenPool, await operator(), { pool: 'public' })

    await expect(open('carol', 'public')).resolves.toMatchObject({ state: 'offered' })
  })

  test('is steered by operators only', async () => {
    await expect(
      core.operations.perform(closePool, await core.as('carol'), { pool: 'public' }),
    ).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('a pool with hours', () => {
  // The clock of these tests starts on a Monday, at nine in Zurich.
  const hours = (yaml: string) =>
    yaml.replace(
      '    size: { spare: 2, max: 10 }',
      "    hours: [{ days: [mon, tue], from: '08:00', to: '10:00' }]\n    size: { spare: 2, max: 10 }",
    )

  test('says when it opens, and its sessions end as it closes', async () => {
    await restart(hours)
    const opened = await open('carol', 'public')
    await sit(opened.lease)

    await core.pass(hour)

    expect(await lease(opened.lease)).toMatchObject({ state: 'ended', endReason: 'pool_closed' })
    await expect(open('carol', 'public')).rejects.toThrow('It opens Tuesday at 08:00.')
  })
})

test('a pool has more desktops ready at the times that its schedule says', async () => {
  await restart((yaml) =>
    yaml.replace(
      'size: { spare: 2, max: 10 }',
      "size: { spare: 2, max: 10, schedule: [{ days: [mon], from: '10:00', to: '11:00', spare: 6 }] }",
    ),
  )
  const ready = async () =>
    (await core.operations.perform(listDesktops, await operator(), { state: 'spare', pool: 'public' })).items
      .length
  const before = await ready()

  await core.pass(hour)

  expect([before, await ready()]).toEqual([2, 6])
})

test('a person has no more sessions than the site lets them', async () => {
  await restart((yaml) => yaml.replace('policies:\n', 'policies:\n  desktops: { perPerson: 1 }\n'))
  const first = await open('alice', 'public')

  await expect(open('alice', 'developers')).rejects.toMatchObject({ code: 'too_many_sessions' })
  await expect(open('alice', 'public')).resolves.toMatchObject({ lease: first.lease })
})

test('a desktop that was set aside is listed with the reason, and spare again only once it is seen to be clean', async () => {
  const opened = await open('carol', 'public')
  core.hypervisor.fault({
    on: 'restoreClean',
    times: 3,
    outage: { code: 'hypervisor_refused', transient: false },
  })
  await core.operations.perform(endLeaseNow, await core.as('carol'), { id: opened.lease })
  await core.settle()
  const aside = await core.operations.perform(listDesktops, await operator(), { state: 'quarantined' })
  const name = opened.desktop ?? ''

  for (let attempt = 0; attempt < 3; attempt++) {
    await core.operations.perform(resetDesktopAgain, await operator(), { name })
    await core.settle()
    const { items } = await core.operations.perform(listDesktops, await operator(), { state: 'spare' })
    if (items.some((desktop) => desktop.name === name)) break
  }

  expect(aside.items).toMatchObject([{ name, pool: 'public' }])
  expect(aside.items[0]?.reason).not.toBeNull()
  expect(await core.store.read((tx) => tx.desktops.get(name))).toMatchObject({ state: 'spare' })
})
