import { describe, expect, test } from 'vitest'
import { negotiationFailure } from '../../../broker/router/greeting.ts'
import { openRouter, type RouterOptions } from '../../../broker/router/listener.ts'
import { Refusal } from '../../../src/base/errors.ts'
import { silentLog } from '../../../src/base/log.ts'
import { request } from './packets.ts'
import { alive, ended, hello, host, router, session, start, stranger, told, unknown } from './rig.ts'
import { dial, gate, type StubHost } from './wire.ts'

describe('a connection that is refused', () => {
  test('is told so when it negotiates, is counted by reason, and never reaches a desktop', async () => {
    await start()

    const client = await dial(router.port, stranger)
    await client.over

    expect(client.received()).toEqual(negotiationFailure())
    expect((await router.counts()).outcomes).toEqual({ unknown_ticket: 1 })
    expect(host.dials()).toBe(0)
    expect(told).toEqual([])
  })

  test('is closed without a word when it does not negotiate', async () => {
    await start()

    const client = await dial(router.port, request('Cookie: mstshash=bob\r\n', ''))
    await client.over

    expect(client.received()).toHaveLength(0)
    expect((await router.counts()).outcomes).toEqual({ unknown_ticket: 1 })
  })

  test.each<[string, Partial<RouterOptions>, string]>([
    [
      'its lease ends at that moment',
      { connected: () => Promise.reject(new Refusal('lease_ended', 'It has ended.')) },
      'lease_ended',
    ],
    ['nobody can be asked', { find: () => Promise.reject(new Error('a fault of ours')) }, 'failed'],
    [
      'its desktop is down',
      { find: async () => ({ lease: 'L-1', target: { host: '127.0.0.1', port: 1 } }) },
      'desktop_unreachable',
    ],
    [
      'its desktop does not answer',
      { connectMillis: 20, find: async () => ({ lease: 'L-1', target: { host: '192.0.2.1', port: 9 } }) },
      'desktop_unreachable',
    ],
  ])('is refused when %s', async (_, changes, outcome) => {
    await start(changes)

    const client = await dial(router.port, hello)
    await client.over

    expect(client.received()).toEqual(negotiationFailure())
    expect((await router.counts()).outcomes).toEqual({ [outcome]: 1 })
    expect(told).toEqual([])
  })

  test.each([
    ['speaks another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex'), 'bad_preconnection'],
    ['sends a wrong length', '0300002d2ee0', 'bad_length'],
    ['says nothing', '', 'greeting_timeout'],
    ['stops in the middle', hello.slice(0, 20), 'greeting_timeout'],
  ])('is closed when it %s', async (_, hex, outcome) => {
    await start({ greetingMillis: 20 })

    const client = await dial(router.port, hex)
    await client.over

    expect(client.received()).toHaveLength(0)
    expect((await router.counts()).outcomes).toEqual({ [outcome]: 1 })
  })

  test('is counted when it leaves before it has said what it wants', async () => {
    await start()

    const client = await dial(router.port, hello.slice(0, 20))
    client.socket.end()
    await client.over

    expect((await router.counts()).outcomes).toEqual({ client_left: 1 })
  })
})

describe('cutting a lease', () => {
  test('closes both sides of all its connections at once, and a new dial is refused', async () => {
    await start()
    const pairs = [await session(), await session()]

    alive.delete('L-1')
    const count = await router.close('L-1', 'revoked')
    await Promise.all(pairs.flatMap(({ client, desktop }) => [client.over, desktop.over]))
    const again = await dial(router.port, hello)
    await again.over

    expect(count).toBe(2)
    expect(again.received()).toEqual(negotiationFailure())
    expect(await ended.promise).toBe('revoked')
    expect((await router.counts()).outcomes).toEqual({ relayed: 2, unknown_ticket: 1 })
    expect(await router.sessions()).toEqual([])
  })

  test('leaves other leases alone', async () => {
    await start()
    const { client } = await session()

    const count = await router.close('L-2', 'revoked')

    expect(count).toBe(0)
    expect(client.socket.destroyed).toBe(false)
    expect(await router.sessions()).toHaveLength(1)
  })

  test('cuts a dial whose token was still good when it was looked up', async () => {
    const asked = gate()
    const answer = gate<{ lease: string; target: StubHost['target'] }>()
    await start({
      find: () => {
        asked.open()
        return answer.promise
      },
    })
    const client = await dial(router.port, hello)
    await asked.promise

    await router.close('L-1', 'revoked')
    answer.open({ lease: 'L-1', target: host.target })
    await client.over

    expect((await router.counts()).outcomes).toEqual({ revoked: 1 })
    expect(host.dials()).toBe(0)
    expect(told).toEqual([])
  })

  test('cuts a connection that has just been accepted, and tells of its end', async () => {
    const asked = gate()
    const accepted = gate()
    await start({
      connected: async () => {
        asked.open()
        await accepted.promise
      },
    })
    const client = await dial(router.port, hello)
    const desktop = await host.next()
    await asked.promise

    const count = await router.close('L-1', 'revoked')
    accepted.open()
    await Promise.all([client.over, desktop.over])

    expect(count).toBe(1)
    expect(await ended.promise).toBe('revoked')
    expect(desktop.received()).toHaveLength(0)
  })
})

describe('the router itself', () => {
  test('cuts everything when it is shut down, and has told of each end by then', async () => {
    await start()
    const { client } = await session()
    const silent = await dial(router.port)
    await Promise.all([silent.over, client.over, router.shutdown()])

    expect(told).toEqual(['L-1 connected', 'L-1 shutdown'])
    expect((await router.counts()).outcomes).toEqual({ relayed: 1, shutdown: 1 })
    await expect(dial(router.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('says so when its address is taken', async () => {
    await start()

    const second = openRouter({
      host: '127.0.0.1',
      port: router.port,
      log: silentLog,
      now: Date.now,
      find: () => Promise.reject(unknown()),
      connected: async () => undefined,
      disconnected: async () => undefined,
    })

    await expect(second).rejects.toMatchObject({ code: 'router_cannot_listen', transient: false })
  })
})
