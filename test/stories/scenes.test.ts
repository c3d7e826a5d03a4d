import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { system } from '../../src/identity/person.ts'
import { importMachines } from '../../src/operations/import-machines.ts'
import { day } from '../operations/core.ts'
import type { StorySite } from './site.ts'
import { onEachStore } from './stores.ts'

const wish = 'request slc5 for 60d budget T-1042 name webafs20 2cpu 4gb why “AFS web server”'

onEachStore((open) => {
  let site: StorySite
  beforeEach(async () => {
    site = await open()
  })
  afterEach(() => site.close())

  test('a developer asks in chat, the holder of the budget presses Approve, and the server is there', async () => {
    const alice = await site.signIn('alice')
    await alice.open('/chat')
    await alice.submit('Send', { line: wish })
    expect(alice.text).toContain('107.30 CHF')
    expect(alice.text).toContain('bob')
    await site.settle()

    const bob = await site.signIn('bob')
    await bob.open('/chat')
    expect(bob.text).toContain('alice asks for 1 slc5 server: 107.30 CHF from T-1042.')
    expect(bob.text).toContain('1892.70 CHF')
    await bob.submit('Approve')
    await site.settle()

    await bob.open('/chat')
    await alice.open('/chat')
    expect(bob.html).not.toContain('>Approve<')
    expect(bob.text).toMatch(/approved/i)
    expect(alice.text).toContain('webafs20 is ready')
    expect(alice.text).toMatch(/ssh alice@10\.\d+\.\d+\.\d+/)
  })

  test('a denial takes a reason, and every copy of the card shows it', async () => {
    const [alice, bob] = [await site.signIn('alice'), await site.signIn('bob')]
    await alice.open('/chat')
    await alice.submit('Send', { line: wish })
    await site.settle()

    await bob.open('/chat')
    await bob.submit('Deny')
    await bob.submit('Deny', { answer: 'use the old one' })
    await site.settle()

    await alice.open('/chat')
    await bob.open('/chat')
    expect(alice.text).toContain('use the old one')
    expect(bob.text).toContain('use the old one')
    expect(bob.html).not.toContain('>Approve<')
  })

  test('somebody at a thin client without scripts logs in, is at a desktop, and loses it when they log off', async () => {
    const terminal = site.visit()
    await terminal.open('/desktop?pool=public')
    await terminal.submit('Log in', { user: 'carol', password: 'carol', pool: 'public' })
    expect(terminal.text).toContain('Your desktop is ready')
    const lease = /\/desktop\/lease\/(L-[0-9a-z]+)/.exec(terminal.html)?.[1] ?? ''
    await terminal.follow('Open desktop')
    const token = /loadbalanceinfo:s:(Cookie: msts=\S+)/.exec(terminal.bytes.toString('utf16le'))?.[1] ?? ''

    const client = await dial(site.service.rdpPort, token)
    const confirm = await new Promise<Buffer>((resolve) => client.once('data', resolve))
    const closed = once(client, 'close')
    await terminal.open(`/desktop/lease/${lease}`)
    await terminal.submit('Log off')
    await site.settle()
    await closed
    const again = await dial(site.service.rdpPort, token)
    await once(again.resume(), 'close')

    expect(confirm.subarray(0, 2).toString('hex')).toBe('0300')
    expect(confirm[5]).toBe(0xd0)
    const ended = await site.service.store.read((tx) => tx.leases.get(lease))
    expect(ended).toMatchObject({ user: 'carol', state: 'ended', endReason: 'logged_off' })
    expect(ended?.history.map(({ state }) => state)).toEqual(['preparing', 'offered', 'connected', 'ended'])
    expect(await site.service.store.read((tx) => tx.desktops.get('public-001'))).toMatchObject({
      state: 'spare',
    })
  })

  test('an owner is reminded before the end, and one press keeps the server', async () => {
    const [alice, bob] = [await site.signIn('alice'), await site.signIn('bob')]
    await alice.open('/chat')
    await alice.submit('Send', { line: 'request slc5 for 30d budget T-1042 name webafs20 why tests' })
    await site.settle()
    await bob.open('/chat')
    await bob.submit('Approve')
    await site.settle()
    await site.pass(17 * day)

    const later = await site.signIn('alice')
    await later.open('/chat')
    expect(later.text).toMatch(/webafs20 (ends|expires)/)
    await later.submit('Extend 30 days (27.84 CHF)')
    await site.settle()
    await site.pass(20 * day)

    const [machine] = await site.service.store.read((tx) => tx.machines.find('owner', 'alice'))
    expect(machine).toMatchObject({ id: 'webafs20', state: 'running', extensions: 1 })
  })

  test('machines of the old portal whose end has passed are kept until somebody was told and the grace is over', async () => {
    const csv = await readFile(new URL('../fixtures/cvi-machines.csv', import.meta.url), 'utf8')
    await site.service.operations.perform(importMachines, system(), { csv })

    await site.pass(20 * day)

    const gone = await site.service.store.read((tx) => tx.machines.find('state', 'deleted'))
    const untold = gone.filter(({ reminders }) => reminders.every(({ deliveredAt }) => deliveredAt === null))
    expect(untold).toEqual([])
  })
})

/** A client's first packet: an X.224 Connection Request with a routing token (MS-RDPBCGR 2.2.1.1). */
async function dial(port: number, token: string): Promise<Socket> {
  const client = connect(port, '127.0.0.1')
  client.on('error', () => undefined)
  await once(client, 'connect')
  const body = Buffer.from(`${token}\r\n`)
  const negotiation = Buffer.from('0100080003000000', 'hex')
  const length = body.length + negotiation.length
  const head = Buffer.from([3, 0, 0, 11 + length, 6 + length, 0xe0, 0, 0, 0, 0, 0])
  client.write(Buffer.concat([head, body, negotiation]))
  return client
}
