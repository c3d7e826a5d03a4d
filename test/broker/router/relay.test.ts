import { randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { connectionConfirm } from '../../../broker/router/greeting.ts'
import { blob } from './packets.ts'
import { ended, hello, host, router, session, start, told } from './rig.ts'
import { dial, type End, gate } from './wire.ts'

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
    expect(await router.counts()).toEqual({ open: 1, outcomes: { relayed: 1 } })
    expect(await router.sessions()).toMatchObject([
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

    expect((await router.counts()).open).toBe(0)
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
