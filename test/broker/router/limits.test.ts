import { describe, expect, test } from 'vitest'
import type { Traffic } from '../../../broker/router/relay.ts'
import { ended, hello, host, router, session, start } from './rig.ts'
import { dial, gate } from './wire.ts'

const never = () => new Promise<never>(() => undefined)

/** A find that gives these limits. */
function limited(limits: { endsAt?: number; idleMillis?: number }) {
  return { find: async () => ({ lease: 'L-1', target: host.target, ...limits }) }
}

describe('a connection is cut by the router alone', () => {
  test('at the end of its lease', async () => {
    await start(limited({ endsAt: Date.now() + 60 }))
    const { client, desktop } = await session()

    await Promise.all([client.over, desktop.over])

    expect(await ended.promise).toBe('lease_ended')
  })

  test('at once, when its lease has ended while it was connected', async () => {
    await start({ ...limited({ endsAt: 5_000 }), now: () => 5_000 })

    const client = await dial(router.port, hello)
    await client.over

    expect(await ended.promise).toBe('lease_ended')
  })

  test('when its client has been silent for too long, whatever the desktop says', async () => {
    await start(limited({ idleMillis: 60 }))
    const { client, desktop } = await session()
    const speaking = setInterval(() => desktop.socket.write('a moving picture'), 5)

    await client.over
    clearInterval(speaking)

    expect(await ended.promise).toBe('idle')
  })

  test('not while the client says something', async () => {
    let now = 0
    await start({ ...limited({ idleMillis: 30 }), now: () => now })
    const { client, desktop } = await session()

    // Time is what the router is told: each byte is younger than the limit, all together last longer.
    for (let step = 1; step <= 4; step++) {
      now += 20
      client.socket.write('x')
      await desktop.has(hello.length / 2 + step)
    }

    expect(await router.sessions()).toHaveLength(1)
  })
})

describe('the end of a lease that has moved', () => {
  test('is later for connections that there are', async () => {
    let now = 0
    await start({ ...limited({ endsAt: 40 }), now: () => now })
    await session()

    await router.limit('L-1', 1_000_000)
    now = 500

    expect(await router.sessions()).toMatchObject([{ lease: 'L-1', endsAt: 1_000_000 }])
  })

  test('may be now', async () => {
    await start(limited({ endsAt: Date.now() + 1_000_000 }))
    const { client } = await session()

    await router.limit('L-1', Date.now())
    await client.over

    expect(await ended.promise).toBe('lease_ended')
  })

  test('holds for a dial that was looked up before it moved', async () => {
    const asked = gate()
    const answer = gate()
    await start({
      find: async () => {
        asked.open()
        await answer.promise
        return { lease: 'L-1', target: host.target, endsAt: Date.now() - 1 }
      },
    })
    await dial(router.port, hello)
    await asked.promise

    await router.limit('L-1', null)
    answer.open()
    const desktop = await host.next()
    await desktop.has(hello.length / 2)

    expect(await router.sessions()).toMatchObject([{ lease: 'L-1', endsAt: null }])
  })
})

describe('what has passed', () => {
  test('is counted by direction, with when it was', async () => {
    let now = 1_000
    const traffic = gate<Traffic>()
    await start({
      lingerMillis: 20,
      now: () => now,
      disconnected: async (_, end) => traffic.open(end.traffic),
    })
    const { client, desktop } = await session()

    now = 2_000
    client.socket.write('input')
    await desktop.has(hello.length / 2 + 5)
    now = 3_000
    desktop.socket.write('a picture')
    await client.has(9)
    client.socket.destroy()

    expect(await traffic.promise).toEqual({
      toDesktop: hello.length / 2 + 5,
      toClient: 9,
      firstByteAt: 1_000,
      lastByteAt: 3_000,
      lastInputAt: 2_000,
    })
  })

  test('includes what a desktop says before it is asked, and no byte of it is lost', async () => {
    const reached = gate()
    const accepted = gate()
    await start({
      connected: async () => {
        reached.open()
        await accepted.promise
      },
    })
    const client = await dial(router.port, hello)
    const desktop = await host.next()
    desktop.socket.write('at once')
    await reached.promise

    accepted.open()

    expect((await client.has(7)).toString()).toBe('at once')
  })
})

describe('a router that drains', () => {
  test('takes nobody any more, and waits for those who are there', async () => {
    await start({ lingerMillis: 20 })
    const { client } = await session()

    const drained = router.drain(60_000)
    await expect(dial(router.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const during = await router.sessions()
    client.socket.destroy()
    await drained

    expect(during).toHaveLength(1)
    expect(await ended.promise).toMatch(/^client_/)
  })

  test('does not wait longer than it was told', async () => {
    await start()
    await session()

    await router.drain(10)

    expect(await router.sessions()).toHaveLength(1)
  })
})

describe('a desktop that wakes', () => {
  test('is dialled again for as long as the client may be held', async () => {
    const { target } = host
    await host.close()
    await start({ holdMillis: 5_000, find: async () => ({ lease: 'L-1', target }) })

    const client = await dial(router.port, hello)
    const awake = await host.again()
    await (await awake.next()).has(hello.length / 2)
    await awake.close()
    await client.over

    expect((await router.counts()).outcomes).toEqual({ relayed: 1 })
  })

  test('and never does, is given up, and so is its client', async () => {
    await start({
      holdMillis: 300,
      find: async () => ({ lease: 'L-1', target: { host: '127.0.0.1', port: 1 } }),
    })

    const client = await dial(router.port, hello)
    await client.over

    expect((await router.counts()).outcomes).toEqual({ desktop_unreachable: 1 })
  })
})

test('clients that say nothing are let in up to a bound, and then turned away', async () => {
  await start({ mostSilent: 2, find: never })
  const silent = [await dial(router.port), await dial(router.port)]

  const third = await dial(router.port, hello)
  await third.over

  expect((await router.counts()).outcomes).toEqual({ overloaded: 1 })
  expect(silent.every(({ socket }) => !socket.destroyed)).toBe(true)
})
