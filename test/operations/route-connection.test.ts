import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { terminalUser } from '../../broker/asker.ts'
import { system } from '../../src/identity/person.ts'
import { beginConnection, endConnection, noteTraffic } from '../../src/operations/connections.ts'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { openAtTerminal, routeConnection } from '../../src/operations/route-connection.ts'
import { showLease } from '../../src/operations/show-lease.ts'
import { type Core, demoConfig, minute, openCore } from './core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
})
afterEach(() => core.close())

/** The demo's file with other terminals and other words. */
async function withSite(edit: (yaml: string) => string): Promise<void> {
  await core.close()
  core = await openCore({ config: await demoConfig(edit) })
}

const ports = (yaml: string) =>
  yaml.replace("mac: '00:0b:3c:00:00:12' }", "mac: '00:0b:3c:00:00:12', port: 13402, pool: public }")
const router = system('router')
const elsewhere = { address: '10.9.9.9', localPort: 3389 }
const lobby = { address: '127.0.0.17', localPort: 3389 }
const tsv = 'tsv://MS Terminal Services Plugin.1.public'

interface Dial {
  token?: string
  pcb?: string
  name?: string
  from?: { address: string; localPort: number }
}

function dial({ token, pcb, name, from = elsewhere }: Dial) {
  return core.operations.perform(routeConnection, router, {
    routingToken: token ?? null,
    pcb: pcb ?? null,
    mstshash: name ?? null,
    source: from,
  })
}

/** Somebody logs in on our page at a place and opens a pool. */
async function open(user: string, pool = 'public', address = '127.0.0.1') {
  return core.operations.perform(openDesktop, { ...(await core.as(user)), address }, { pool })
}

function tokenOf({ rdp }: { rdp?: string | undefined }): string {
  return /^loadbalanceinfo:s:(.*)\r$/m.exec(rdp ?? '')?.[1] ?? ''
}

describe('a connection is for', () => {
  test('the lease of its ticket, in its token or in its blob', async () => {
    const opened = await open('carol')

    const found = await dial({ token: tokenOf(opened) })
    const byBlob = await dial({ pcb: tokenOf(opened).replace('Cookie: msts=', ''), name: 'somebody' })

    expect(found).toMatchObject({
      kind: 'found',
      lease: opened.lease,
      endsAt: opened.expiresAt,
      idleMillis: null,
    })
    expect(byBlob).toEqual(found)
  })

  test('the lease that was offered where it comes from, when it names the pool', async () => {
    const opened = await open('carol', 'public', '10.0.0.5')
    await open('alice', 'developers', '10.0.0.5')

    const found = await dial({ token: tsv, from: { address: '10.0.0.5', localPort: 3389 } })

    expect(found).toMatchObject({ lease: opened.lease })
  })

  test('nobody, when it names a pool from an address that several people share', async () => {
    await open('carol', 'public', '10.0.0.5')
    await open('alice', 'public', '10.0.0.5')

    const found = dial({ token: tsv, from: { address: '10.0.0.5', localPort: 3389 } })

    await expect(found).rejects.toMatchObject({ code: 'not_recognised' })
  })

  test('the person it names beside the pool', async () => {
    const opened = await open('carol')
    await open('carol', 'developers')

    const found = await dial({ pcb: tsv, name: 'carol' })

    expect(found).toMatchObject({ lease: opened.lease })
  })

  test.each(['alice', 'ALICE', 'CORP\\alice', 'alice@example.org'])(
    'the person it names: %s',
    async (name) => {
      const opened = await open('alice')

      expect(await dial({ name })).toMatchObject({ lease: opened.lease })
    },
  )

  test('whoever has the short code that it gives as a name', async () => {
    await open('alice')
    const opened = await open('carol')

    expect(await dial({ name: opened.code })).toMatchObject({ lease: opened.lease })
  })

  test('the person whose name mstsc has cut to nine characters, whoever else begins alike', async () => {
    await withSite((yaml) => yaml.replaceAll('alice', 'alexandria').replaceAll('carol', 'alexandri'))
    const cut = await open('alexandria')

    expect(await dial({ name: 'alexandri' })).toMatchObject({ lease: cut.lease })
    const whole = await open('alexandri')
    expect(await dial({ name: 'alexandri' })).toMatchObject({ lease: whole.lease })
  })

  test('nobody in particular, when the person has several desktops', async () => {
    await open('alice')
    await open('alice', 'developers')

    await expect(dial({ name: 'alice' })).rejects.toMatchObject({ code: 'ambiguous_name' })
  })
})

describe('a registered terminal', () => {
  test('reaches the lease of whoever logged in there, by its address', async () => {
    const opened = await open('carol', 'public', lobby.address)

    expect(await dial({ from: lobby })).toMatchObject({ kind: 'found', lease: opened.lease })
  })

  test('that carries nothing gets a desktop of its pool by connecting, and the same one when it dials again', async () => {
    const route = await dial({ from: lobby, name: 'jackpc' })
    const first = await core.operations.perform(openAtTerminal, router, {
      terminal: 'lobby-1',
      source: lobby,
    })
    await core.operations.perform(openAtTerminal, router, { terminal: 'lobby-1', source: lobby })

    const found = await dial({ from: lobby })
    const lease = await core.operations.perform(showLease, router, { id: first.lease })

    expect(route).toEqual({ kind: 'terminal', terminal: 'lobby-1' })
    expect(found).toMatchObject({ kind: 'found', lease: first.lease })
    expect(lease).toMatchObject({
      user: terminalUser('lobby-1'),
      terminal: { name: 'lobby-1', kind: 'jackpc', address: '127.0.0.17' },
    })
  })

  test('waits while its desktop is being made', async () => {
    await Promise.all(['alice', 'carol'].map((user) => open(user)))
    const { lease } = await core.operations.perform(openAtTerminal, router, {
      terminal: 'lobby-1',
      source: lobby,
    })
    const waiting = await dial({ from: lobby })
    await core.settle()

    const found = await dial({ from: lobby })

    expect(waiting).toEqual({ kind: 'waiting', lease })
    expect(found).toMatchObject({ kind: 'found', lease })
  })

  test('is known by the port that was made for it', async () => {
    await withSite(ports)

    const route = await dial({ from: { address: '10.9.9.9', localPort: 13_402 } })

    expect(route).toEqual({ kind: 'terminal', terminal: 'office-204' })
  })

  test('comes before the name that its client sends', async () => {
    await open('alice')

    expect(await dial({ from: lobby, name: 'alice' })).toEqual({ kind: 'terminal', terminal: 'lobby-1' })
  })

  test('gets none of a pool where each desktop is a person’s', async () => {
    await withSite((yaml) =>
      yaml.replace("mac: '00:80:64:00:00:13',", "mac: '00:80:64:00:00:13', port: 13403,"),
    )

    const route = dial({ from: { address: '10.9.9.9', localPort: 13_403 } })

    await expect(route).rejects.toMatchObject({ code: 'not_recognised' })
  })

  test('bothers nobody when its lease ends, which is nobody’s', async () => {
    await core.operations.perform(openAtTerminal, router, { terminal: 'lobby-1', source: lobby })

    await core.pass(130 * minute)

    expect(core.told.notices).toEqual([])
  })
})

describe('a connection is refused', () => {
  test('when its ticket is dead, even from a terminal that could have a desktop for the asking', async () => {
    const opened = await open('carol', 'public', lobby.address)
    await core.operations.perform(endLeaseNow, await core.as('carol'), { id: opened.lease })

    const again = dial({ token: tokenOf(opened), from: lobby, name: 'carol' })

    await expect(again).rejects.toMatchObject({ code: 'unknown_ticket' })
  })

  test.each<[string, Dial, string]>([
    ['it says nothing', {}, 'not_recognised'],
    ['nobody has the name', { name: 'mallory' }, 'not_recognised'],
    ['its token is another broker’s', { token: 'Cookie: msts=3640205228.15629.0000' }, 'unknown_ticket'],
    ['there is no such pool', { token: 'tsv://MS Terminal Services Plugin.1.nowhere' }, 'not_found'],
    ['it names a pool and nothing else', { token: tsv }, 'not_recognised'],
    ['it calls itself what a terminal is called', { name: 'terminal:lobby-1' }, 'not_recognised'],
  ])('when %s', async (_, connection, code) => {
    await core.operations.perform(openAtTerminal, router, { terminal: 'lobby-1', source: lobby })

    await expect(dial(connection)).rejects.toMatchObject({ code })
  })

  test('from its lease’s end on, whether or not the sweep has come', async () => {
    const opened = await open('carol')
    core.clock.set(opened.expiresAt)

    await expect(dial({ token: tokenOf(opened) })).rejects.toMatchObject({ code: 'lease_ended' })
  })

  test.each<[string, string, (opened: { code: string; rdp?: string | undefined }) => Dial, string]>([
    ['user', 'ticket, code', () => ({ name: 'alice' }), 'not_recognised'],
    ['code', 'ticket, user', ({ code }) => ({ name: code }), 'not_recognised'],
    ['address', 'ticket, user', () => ({ from: lobby }), 'not_recognised'],
    ['pool', 'ticket, user', () => ({ pcb: tsv, name: 'alice' }), 'not_found'],
    ['ticket', 'user', (opened) => ({ token: tokenOf(opened) }), 'unknown_ticket'],
  ])('by a pool that does not take %s', async (_, identities, connection, code) => {
    await withSite((yaml) =>
      yaml.replace(/^( +members: \[everyone\])$/m, `$1\n    identities: [${identities}]`),
    )
    const opened = await open('alice')

    await expect(dial(connection(opened))).rejects.toMatchObject({ code })
  })
})

describe('what a router says of a lease', () => {
  const passed = (toClient: number, at: string) => ({
    ...{ toDesktop: 1, toClient, firstByteAt: at, lastByteAt: at, lastInputAt: at },
  })
  const [early, late] = ['2026-11-23T08:00:01.000Z', '2026-11-23T08:00:09.000Z']

  test('is added up, also what comes after its end', async () => {
    const { lease } = await open('carol')
    await core.operations.perform(beginConnection, router, { lease })
    await core.operations.perform(noteTraffic, router, { passed: [{ lease, traffic: passed(10, early) }] })
    await core.operations.perform(endLeaseNow, await core.as('carol'), { id: lease })

    const end = { lease, reason: 'lease_ended', traffic: passed(5, late) }
    await core.operations.perform(endConnection, router, end)

    expect(await core.operations.perform(showLease, router, { id: lease })).toMatchObject({
      state: 'ended',
      traffic: { toDesktop: 2, toClient: 15, firstByteAt: early, lastByteAt: late, lastInputAt: late },
    })
  })

  test('ends it when nobody was at it for as long as the pool allows', async () => {
    await withSite((yaml) => yaml.replace('disconnected: PT10M,', 'disconnected: PT10M, idle: PT20M,'))
    const opened = await open('carol')
    await core.operations.perform(beginConnection, router, { lease: opened.lease })
    await core.operations.perform(beginConnection, router, { lease: opened.lease })
    const found = await dial({ token: tokenOf(opened) })

    await core.operations.perform(endConnection, router, { lease: opened.lease, reason: 'idle' })
    const stillUsed = await core.operations.perform(showLease, router, { id: opened.lease })
    await core.operations.perform(endConnection, router, { lease: opened.lease, reason: 'idle' })

    expect(found).toMatchObject({ idleMillis: 20 * minute })
    expect(stillUsed.state).toBe('connected')
    expect(await core.operations.perform(showLease, router, { id: opened.lease })).toMatchObject({
      state: 'ended',
      endReason: 'idle',
    })
  })
})
