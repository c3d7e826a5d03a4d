import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { negotiationFailure } from '../../broker/router/greeting.ts'
import { system } from '../../src/identity/person.ts'
import { endLeaseNow } from '../../src/operations/end-lease.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { request } from '../broker/router/packets.ts'
import type { StorySite } from './site.ts'
import { onEachStore } from './stores.ts'

onEachStore((open) => {
  let site: StorySite
  const sockets: Socket[] = []
  beforeEach(async () => {
    site = await open()
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await site.close()
  })

  /** Dials from an address of this machine, and gives what comes back first. */
  async function dial(localAddress: string, text: string): Promise<{ socket: Socket; answer: Buffer }> {
    const socket = connect({ host: '127.0.0.1', port: site.service.rdpPort, localAddress })
    sockets.push(socket)
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(Buffer.from(request(text, '0100080003000000'), 'hex'))
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
    return { socket, answer }
  }

  function isConfirmed({ answer }: { answer: Buffer }): boolean {
    return answer[5] === 0xd0 && answer[11] === 2
  }

  async function leases() {
    return site.service.store.read((tx) => tx.leases.all())
  }

  test('a Jack PC that carries nothing is at a clean desktop by connecting, and at the same one when it comes back', async () => {
    const first = await dial('127.0.0.17', 'Cookie: mstshash=user\r\n')
    first.socket.destroy()
    const second = await dial('127.0.0.17', '')

    const [lease, ...others] = await leases()
    expect([first, second].map(isConfirmed)).toEqual([true, true])
    expect(others).toEqual([])
    expect(lease).toMatchObject({ user: 'terminal:lobby-1', pool: 'public', terminal: { kind: 'jackpc' } })
  })

  test('another device that carries nothing learns nothing and leaves nothing behind', async () => {
    const { answer, socket } = await dial('127.0.0.18', '')
    await once(socket, 'close')

    expect(answer).toEqual(negotiationFailure())
    expect(await leases()).toEqual([])
  })

  test('a person’s session follows them to another terminal, by name', async () => {
    const carol = { ...system(), user: 'carol', groups: ['office'], roles: [], address: '127.0.0.31' }
    const opened = await site.service.operations.perform(openDesktop, carol, { pool: 'public' })

    const there = await dial('127.0.0.32', 'Cookie: mstshash=CORP\\carol\r\n')

    expect(isConfirmed(there)).toBe(true)
    expect(await leases()).toMatchObject([{ id: opened.lease, state: 'connected', connections: 1 }])
  })

  test('a session that is taken away is closed at once, on all its connections, and cannot be dialled again', async () => {
    const carol = { ...system(), user: 'carol', groups: ['office'], roles: [], address: '127.0.0.31' }
    const opened = await site.service.operations.perform(openDesktop, carol, { pool: 'public' })
    const token = /^loadbalanceinfo:s:(.*)\r$/m.exec(opened.rdp ?? '')?.[1] ?? ''
    const both = [await dial('127.0.0.31', `${token}\r\n`), await dial('127.0.0.32', `${token}\r\n`)]
    const closed = both.map(({ socket }) => once(socket, 'close'))
    const start = performance.now()

    await site.service.operations.perform(endLeaseNow, system(), { id: opened.lease })
    await Promise.all(closed)
    const again = await dial('127.0.0.31', `${token}\r\n`)

    expect(performance.now() - start).toBeLessThan(1_000)
    expect(again.answer).toEqual(negotiationFailure())
    expect(await leases()).toMatchObject([{ state: 'ended', endReason: 'revoked', connections: 0 }])
  })
})
