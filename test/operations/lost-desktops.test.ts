import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { system } from '../../src/identity/person.ts'
import { beginConnection, endConnection } from '../../src/operations/connections.ts'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import { discardDesktop, listDesktops } from '../../src/operations/manage-pools.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { showLease } from '../../src/operations/show-lease.ts'
import { type Core, leisurely, minute, openCore } from './core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore({ pace: { ...leisurely, observeMillis: 15_000 } })
})
afterEach(() => core.close())

const open = async (user: string, pool = 'public') =>
  core.operations.perform(openDesktop, await core.as(user), { pool })
const lease = (id: string) => core.operations.perform(showLease, system(), { id })
const router = system('router')
const sit = (id: string) => core.operations.perform(beginConnection, router, { lease: id })
const leave = (id: string) =>
  core.operations.perform(endConnection, router, { lease: id, reason: 'client_closed' })

async function vanish(desktop: string | null): Promise<void> {
  const machine = await core.store.read((tx) => tx.machines.get(desktop ?? ''))
  await core.hypervisor.vanish(machine?.ref ?? '')
  await core.pass(minute)
}

async function host(reachable: boolean): Promise<void> {
  core.hypervisor.setHost('cernwod04', { reachable })
  await core.pass(minute)
}

async function aside() {
  const operator = await core.as('olga')
  return (await core.operations.perform(listDesktops, operator, { state: 'quarantined' })).items
}

describe('somebody whose shared desktop', () => {
  test('vanishes is told so, and gets the next one at once', async () => {
    const first = await open('carol')
    await sit(first.lease)
    await vanish(first.desktop)

    const next = await open('carol')

    expect(await lease(first.lease)).toMatchObject({ state: 'ended', endReason: 'desktop_lost' })
    expect(core.told.notices.at(-1)).toMatchObject({ user: 'carol', notice: { kind: 'lease-ended' } })
    expect(next).toMatchObject({ state: 'offered' })
    expect(next.desktop).not.toBe(first.desktop)
  })

  test('is on a host that does not answer reads so, and is not cut off while they are connected', async () => {
    const { lease: id } = await open('carol')
    await sit(id)

    await host(false)
    const again = await open('carol')

    expect(await lease(id)).toMatchObject({
      state: 'connected',
      trouble: {
        code: 'desktop_unreachable',
        text: 'Your desktop public-001 cannot be reached: host cernwod04 does not answer.',
      },
    })
    expect(again.lease).toBe(id)
  })

  test('comes back clean once its host does, for whoever is next', async () => {
    const { lease: id, desktop } = await open('carol')
    await sit(id)
    await leave(id)
    await host(false)

    await expect(open('carol')).resolves.toMatchObject({ state: 'preparing' })
    const lost = await lease(id)
    const away = await aside()
    await host(true)

    expect(lost).toMatchObject({ state: 'ended', endReason: 'desktop_lost' })
    expect(away.map(({ name }) => name)).toContain(desktop)
    expect(await aside()).toEqual([])
    expect(await open('carol')).toMatchObject({ state: 'offered' })
  })
})

describe('somebody whose own desktop', () => {
  test('is on a host that does not answer is told which, and gets it back with the host', async () => {
    const first = await open('alice', 'developers')
    await core.settle()
    await core.operations.perform(endLeaseNow, await core.as('alice'), { id: first.lease })
    await core.settle()
    await host(false)

    const refused = open('alice', 'developers')

    await expect(refused).rejects.toMatchObject({
      code: 'desktop_unreachable',
      message:
        'Your desktop developers-001 cannot be reached: host cernwod04 does not answer. Try again in a minute, or ask an operator.',
      extras: { retryAfterSeconds: 60, about: 'developers-001' },
    })
    await host(true)
    await expect(open('alice', 'developers')).resolves.toMatchObject({ desktop: 'developers-001' })
  })

  test('vanishes is never given another in its place before an operator has seen to it', async () => {
    const first = await open('alice', 'developers')
    await vanish(first.desktop)

    await expect(open('alice', 'developers')).rejects.toMatchObject({
      code: 'busy',
      message:
        'Your desktop developers-001 is set aside for an operator to look at (its host has it no more). Ask them when it will be back.',
    })
    const told = core.told.notices.map(({ user, notice }) => `${user} ${notice.kind}`)
    await core.operations.perform(discardDesktop, await core.as('olga'), { name: 'developers-001' })
    await core.settle()

    expect(told).toEqual(expect.arrayContaining(['alice lease-ended', 'olga machine-failed']))
    await expect(open('alice', 'developers')).resolves.toMatchObject({ desktop: 'developers-002' })
  })
})

test('somebody whose desktop takes long is told that it does, and what is done about it', async () => {
  await Promise.all(['alice', 'bob'].map((user) => open(user)))
  core.hypervisor.fault({
    on: 'provision',
    times: 3,
    outage: { code: 'hypervisor_unreachable', transient: true },
  })
  const { lease: id } = await open('carol')
  await core.settle()

  const { state, trouble } = await lease(id)
  await core.pass(2 * minute)

  expect(state).toBe('preparing')
  expect(trouble).toMatchObject({ code: 'slow' })
  expect(trouble?.text).toMatch(/^It takes longer than usual: /)
  expect(await open('carol')).toMatchObject({ lease: id, state: 'offered' })
})
