import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { beginConnection, endConnection } from '../../src/operations/connections.ts'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import { extendLeaseTime } from '../../src/operations/extend-lease.ts'
import { listPools } from '../../src/operations/list-pools.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { routeConnection } from '../../src/operations/route-connection.ts'
import { showLease } from '../../src/operations/show-lease.ts'
import { system } from '../../src/identity/person.ts'
import { type Core, demoConfig, hour, leisurely, minute, openCore } from './core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
})
afterEach(() => core.close())

async function open(user: string, pool: string) {
  return core.operations.perform(openDesktop, await core.as(user), { pool })
}

async function lease(id: string) {
  return core.operations.perform(showLease, system(), { id })
}

function ticketIn(rdp: string | undefined): string {
  return /^loadbalanceinfo:s:Cookie: msts=(.*)\r$/m.exec(rdp ?? '')?.[1] ?? ''
}

const router = system('router')

/** A client dials with the file it was given. */
async function dial(rdp: string | undefined) {
  const found = await core.operations.perform(routeConnection, router, {
    routingToken: `Cookie: msts=${ticketIn(rdp)}`,
    pcb: null,
    mstshash: null,
    source: { address: '10.0.0.9', localPort: 3389 },
  })
  if (found.kind !== 'found') throw new Error(`the desktop of ${found.kind} is not there`)
  await core.operations.perform(beginConnection, router, { lease: found.lease })
  return found
}

async function hangUp(id: string): Promise<void> {
  await core.operations.perform(endConnection, router, { lease: id, reason: 'client_closed' })
}

describe('opening a desktop', () => {
  test('spares are made before anybody asks, as many as each pool wants', async () => {
    const pools = await core.operations.perform(listPools, await core.as('olga'), {})

    expect(pools.items.map(({ name, ready, total }) => [name, ready, total])).toEqual([
      ['developers', 1, 1],
      ['public', 2, 2],
    ])
  })

  test('a spare one is offered at once, with a file whose ticket leads to it, and another is made', async () => {
    const opened = await open('carol', 'public')
    await core.settle()

    const found = await dial(opened.rdp)
    const pools = await core.operations.perform(listPools, await core.as('carol'), {})
    expect(opened).toMatchObject({ state: 'offered', desktop: 'public-001' })
    expect(found).toMatchObject({ lease: opened.lease, target: { host: '127.0.0.1' } })
    expect(await lease(opened.lease)).toMatchObject({ state: 'connected' })
    expect(pools.items.find(({ name }) => name === 'public')).toMatchObject({ ready: 2, total: 3 })
  })

  test('opening again, from wherever, is the same session', async () => {
    const first = await open('carol', 'public')
    await dial(first.rdp)

    const second = await open('carol', 'public')

    expect(second).toMatchObject({ lease: first.lease, desktop: first.desktop, rdp: first.rdp })
  })

  test('with no spare left a person waits, sees how far it is, and gets the next one that is ready', async () => {
    await Promise.all(['alice', 'carol'].map((user) => open(user, 'public')))
    const waiting = await open('bob', 'public')

    await core.settle()
    const later = await open('bob', 'public')

    expect(waiting).toMatchObject({ state: 'preparing', desktop: null })
    expect(waiting.rdp).toBeUndefined()
    expect(later).toMatchObject({ lease: waiting.lease, state: 'offered' })
  })

  test('a full pool says so, and when to try again', async () => {
    await core.close()
    const small = (yaml: string) => yaml.replace('size: { spare: 2, max: 10 }', 'size: { spare: 1, max: 1 }')
    core = await openCore({ config: await demoConfig(small) })
    await open('carol', 'public')

    await expect(open('alice', 'public')).rejects.toMatchObject({
      code: 'pool_full',
      extras: { retryAfterSeconds: 60 },
    })
  })

  test('only members of a pool get a desktop of it', async () => {
    await expect(open('bob', 'developers')).rejects.toMatchObject({ code: 'not_a_member' })
  })
})

describe('the end of a lease', () => {
  test('the ticket is dead first; then connections close, and the desktop is cleaned before it is spare', async () => {
    const opened = await open('carol', 'public')
    await dial(opened.rdp)

    await core.operations.perform(endLeaseNow, await core.as('carol'), { id: opened.lease })
    await expect(dial(opened.rdp)).rejects.toMatchObject({ code: 'unknown_ticket' })
    const before = await core.store.read((tx) => tx.desktops.get('public-001'))
    await core.settle()

    const after = await core.store.read((tx) => tx.desktops.get('public-001'))
    expect(before).toMatchObject({ state: 'resetting', lease: null })
    expect(after).toMatchObject({ state: 'spare', lease: null })
    expect(core.closedFor).toEqual([opened.lease])
    expect(await lease(opened.lease)).toMatchObject({ state: 'ended', endReason: 'released' })
  })

  test('a desktop whose reset fails is set aside, not handed out, and the operators are told', async () => {
    const opened = await open('carol', 'public')
    core.hypervisor.fault({
      on: 'restoreClean',
      times: 9,
      outage: { code: 'hypervisor_refused', transient: false },
    })

    await core.operations.perform(endLeaseNow, await core.as('carol'), { id: opened.lease })
    await core.settle()

    expect(await core.store.read((tx) => tx.desktops.get('public-001'))).toMatchObject({
      state: 'quarantined',
    })
    expect(core.told.notices.at(-1)).toMatchObject({ user: 'olga', notice: { kind: 'machine-failed' } })
  })

  test('a person warned in time may extend; else the lease ends as its pool says, with the reason', async () => {
    const opened = await open('carol', 'public')
    await dial(opened.rdp)
    await core.pass(115 * minute)
    const warned = core.told.notices.filter(({ notice }) => notice.kind === 'lease-ending')
    await core.operations.perform(extendLeaseTime, await core.as('carol'), { id: opened.lease, minutes: 30 })

    await core.pass(29 * minute)
    const late = await lease(opened.lease)
    await core.pass(hour)

    expect(warned).toHaveLength(1)
    expect(late.state).toBe('connected')
    expect(await lease(opened.lease)).toMatchObject({ state: 'ended', endReason: 'expired' })
  })

  test('a desktop that nobody connects to goes back, and one left for too long as well', async () => {
    const unused = await open('carol', 'public')
    const left = await open('alice', 'public')
    await dial(left.rdp)
    await hangUp(left.lease)

    await core.pass(11 * minute)

    expect(await lease(unused.lease)).toMatchObject({ endReason: 'never_used' })
    expect(await lease(left.lease)).toMatchObject({ endReason: 'disconnected_too_long' })
  })

  test('a persistent desktop is kept for its person: saved at the end, woken at the next login', async () => {
    const first = await open('alice', 'developers')
    await dial(first.rdp)
    await core.operations.perform(endLeaseNow, await core.as('alice'), { id: first.lease })
    await core.settle()
    const rested = await core.store.read((tx) => tx.machines.get(first.desktop ?? ''))

    const second = await open('alice', 'developers')
    await core.settle()
    const third = await open('alice', 'developers')

    expect(rested?.state).toBe('saved')
    expect(second).toMatchObject({ state: 'preparing', desktop: first.desktop })
    expect(third).toMatchObject({ state: 'offered', desktop: first.desktop })
    await expect(dial(third.rdp)).resolves.toMatchObject({ lease: second.lease })
  })

  test('a desktop whose machine vanishes ends its lease truthfully, and the pool makes another', async () => {
    await core.close()
    core = await openCore({ pace: { ...leisurely, observeMillis: 15_000 } })
    const opened = await open('carol', 'public')
    await dial(opened.rdp)
    const machine = await core.store.read((tx) => tx.machines.get(opened.desktop ?? ''))
    await core.hypervisor.vanish(machine?.ref ?? '')

    await core.pass(minute)

    const pools = await core.operations.perform(listPools, await core.as('carol'), {})
    expect(await lease(opened.lease)).toMatchObject({ state: 'ended', endReason: 'desktop_lost' })
    expect(pools.items.find(({ name }) => name === 'public')).toMatchObject({ ready: 2, total: 2 })
  })
})
