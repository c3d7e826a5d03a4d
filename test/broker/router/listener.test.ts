import { randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectionConfirm, negotiationFailure } from '../../../broker/router/greeting.ts'
import { openRouter, type Router, type RouterOptions } from '../../../broker/router/listener.ts'
import { Refusal } from '../../../src/base/errors.ts'
import { silentLog } from '../../../src/base/log.ts'
import { blob, request } from './packets.ts'
import { dial, type End, gate, openStubHost, type StubHost } from './wire.ts'

const hello = request('Cookie: msts=good\r\n', '0100080003000000')
const stranger = request('Cookie: msts=bad\r\n', '0100080003000000')

let host: StubHost
let router: Router
let alive: Set<string>
let told: string[]
let ended: ReturnType<typeof gate<string>>

/** A router with one lease, L-1, that its token opens while it is alive. */
async function start(changes: Partial<RouterOptions> = {}): Promise<Router> {
  router = await openRouter({
    host: '127.0.0.1',
    port: 0,
    log: silentLog,
    find: async ({ routingToken }) => {
      if (routingToken !== 'Cookie: msts=good' || !alive.has('L-1')) throw unknown()
      return { lease: 'L-1', target: host.target }
    },
    connected: async (lease) => void told.push(`${lease} connected`),
    disconnected: async (lease, { reason }) => {
      told.push(`${lease} ${reason}`)
      ended.open(reason)
    },
    ...changes,
  })
  return router
}

const unknown = (): Refusal => new Refusal('unknown_ticket', 'Nobody knows this ticket.')

/** A client whose request has reached the desktop. */
async function session(): Promise<{ client: End; desktop: End }> {
  const client = await dial(router.port, hello)
  const desktop = await host.next()
  await desktop.has(hello.length / 2)
  return { client, desktop }
}

beforeEach(async () => {
  host = await openStubHost()
  alive = new Set(['L-1'])
  told = []
  ended = gate<string>()
})
afterEach(async () => {
  await router.shutdown()
  await host.close()
})

describe('a connection that is relayed', () => {
  test('brings the desktop the request as it came, without the blob, and whatever came with it', async () => {
    await start()

    const client = await dial(router.port, blob('some id') + hello + 'cafe')
    const desktop = await host.next()
    await desktop.has(hello.length / 2 + 2)
    desktop.socket.write(connectionConfirm(1))
    await client.has(19)

    expect(desktop.received().toString('hex')).toBe(hello + 'cafe')
    expect(client.received()).toEqual(connectionConfirm(1))
    expect(router.counts()).toEqual({ open: 1, outcomes: { relayed: 1 } })
    expect(router.sessions()).toMatchObject([
      { lease: 'L-1', target: host.target, source: { address: '127.0.0.1' } },
    ])
  })

  test('passes every byte both ways, and holds the desktop back while the client does not read', async () => {
    await start()
    const [down, up] = [randomBytes(64 * 1024 * 1024), randomBytes(8 * 1024 * 1024)]
    const { client, desktop } = await session()

    client.socket.pause()
    desktop.socket.end(down)
    client.socket.end(up)
    await stalled(desktop)
    const heldBack = desktop.socket.writableLength
    client.socket.resume()
    const [read, written] = await Promise.all([
      client.has(down.length),
      desktop.has(hello.length / 2 + up.length),
    ])

    expect(heldBack).toBeGreaterThan(0)
    expect(read.equals(down)).toBe(true)
    expect(written.subarray(hello.length / 2).equals(up)).toBe(true)
  })

  test('passes on the end of one side and lets the other finish', async () => {
    await start()
    const { client, desktop } = await session()

    client.socket.end()
    await desktop.over
    desktop.socket.end('last words')
    await client.over

    expect(client.received().toString()).toBe('last words')
    expect(await ended.promise).toBe('client_closed')
  })

  test('is over when one side has ended and the other stays silent', async () => {
    await start({ lingerMillis: 20 })
    const { client } = await session()

    client.socket.end()

    expect(await ended.promise).toBe('client_closed')
    await client.over
  })

  test.each<[string, (pair: { client: End; desktop: End }) => unknown]>([
    [
      'desktop_closed',
      ({ client, desktop }) => [desktop.socket.end(), client.socket.once('end', () => client.socket.end())],
    ],
    ['desktop_lost', ({ desktop }) => desktop.socket.resetAndDestroy()],
    ['client_lost', ({ client }) => client.socket.resetAndDestroy()],
  ])('is told of as %s', async (reason, happen) => {
    await start()
    const pair = await session()

    happen(pair)

    expect(await ended.promise).toBe(reason)
    await Promise.all([pair.client.over, pair.desktop.over])
    expect(told).toEqual(['L-1 connected', `L-1 ${reason}`])
  })

  test('is told of in order when a client dials again at once', async () => {
    const slow = gate()
    await start({
      connected: async (lease, { id }) => {
        if (id === 1) await slow.promise
        told.push(`${lease} connected ${id}`)
      },
      disconnected: async (lease, { id }) => {
        told.push(`${lease} disconnected ${id}`)
        if (id === 1) ended.open('')
      },
    })

    const first = await dial(router.port, hello)
    const left = await host.next()
    const second = await dial(router.port, hello)
    const desktop = await host.next()
    first.socket.destroy()
    left.socket.end()
    slow.open()
    await Promise.all([desktop.has(hello.length / 2), ended.promise])
    second.socket.destroy()
    await router.shutdown()

    expect(told.slice(0, 2)).toEqual(['L-1 connected 1', 'L-1 connected 2'])
    expect(told.slice(2).sort()).toEqual(['L-1 disconnected 1', 'L-1 disconnected 2'])
  })

  test('is closed although nobody takes note of it', async () => {
    await start({ disconnected: () => Promise.reject(new Error('the store is away')) })
    const { client, desktop } = await session()

    client.socket.destroy()
    await desktop.over
    await router.shutdown()

    expect(router.counts().open).toBe(0)
  })
})

describe('a connection that is refused', () => {
  test('is told so when it negotiates, is counted by reason, and never reaches a desktop', async () => {
    await start()

    const client = await dial(router.port, stranger)
    await client.over

    expect(client.received()).toEqual(negotiationFailure())
    expect(router.counts().outcomes).toEqual({ unknown_ticket: 1 })
    expect(host.dials()).toBe(0)
    expect(told).toEqual([])
  })

  test('is closed without a word when it does not negotiate', async () => {
    await start()

    const client = await dial(router.port, request('Cookie: mstshash=bob\r\n', ''))
    await client.over

    expect(client.received()).toHaveLength(0)
    expect(router.counts().outcomes).toEqual({ unknown_ticket: 1 })
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
    expect(router.counts().outcomes).toEqual({ [outcome]: 1 })
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
    expect(router.counts().outcomes).toEqual({ [outcome]: 1 })
  })

  test('is counted when it leaves before it has said what it wants', async () => {
    await start()

    const client = await dial(router.port, hello.slice(0, 20))
    client.socket.end()
    await client.over

    expect(router.counts().outcomes).toEqual({ client_left: 1 })
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
    expect(router.counts().outcomes).toEqual({ relayed: 2, unknown_ticket: 1 })
    expect(router.sessions()).toEqual([])
  })

  test('leaves other leases alone', async () => {
    await start()
    const { client } = await session()

    const count = await router.close('L-2', 'revoked')

    expect(count).toBe(0)
    expect(client.socket.destroyed).toBe(false)
    expect(router.sessions()).toHaveLength(1)
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

    expect(router.counts().outcomes).toEqual({ revoked: 1 })
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
    expect(router.counts().outcomes).toEqual({ relayed: 1, shutdown: 1 })
    await expect(dial(router.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('says so when its address is taken', async () => {
    await start()

    const second = openRouter({
      host: '127.0.0.1',
      port: router.port,
      log: silentLog,
      find: () => Promise.reject(unknown()),
      connected: async () => undefined,
      disconnected: async () => undefined,
    })

    await expect(second).rejects.toMatchObject({ code: 'router_cannot_listen', transient: false })
  })
})

/** Resolves when a side has sent nothing for many turns of the event loop: what it writes goes nowhere. */
async function stalled({ socket }: End): Promise<void> {
  let [still, before] = [0, -1]
  while (still < 300 && socket.writableLength > 0) {
    await turn()
    still = socket.bytesWritten - socket.writableLength === before ? still + 1 : 0
    before = socket.bytesWritten - socket.writableLength
  }
}
