import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { hello, host, router, start } from './rig.ts'
import { listen, type Manner, speak } from './integrity.ts'
import { type End, dial } from './wire.ts'

/** A megabyte at once and a few bytes at once, and a reader that stops in between until everything before it is full. */
const slowly: Manner = {
  total: 40_000_000,
  writes: [1_000_000, 17, 300_000, 4096, 65_536],
  pauses: [
    { after: 3_000_000, turns: 40 },
    { after: 9_000_000, turns: 200 },
  ],
}

/** Both sides speak at the same time; says where each of them heard something wrong first. */
async function converse(client: Socket, desktop: Socket, down: Manner, up: Manner) {
  const heard = Promise.all([listen(client, down), listen(desktop, up)])
  await Promise.all([speak(desktop, down), speak(client, up)])
  const [atClient, atDesktop] = await heard
  return { atClient, atDesktop }
}

async function pairs(count: number): Promise<{ client: Socket; desktop: Socket }[]> {
  const found: { client: Socket; desktop: Socket }[] = []
  for (let each = 0; each < count; each++) {
    const client = await dial(router.port, hello)
    const desktop = await host.next()
    await desktop.has(hello.length / 2)
    found.push({ client: bare(client), desktop: bare(desktop) })
  }
  return found
}

/** The socket alone: what comes is compared and not kept. */
function bare({ socket }: End): Socket {
  return socket.removeAllListeners('data')
}

describe('every byte arrives as it was said', () => {
  test('in large transfers both ways at once, though both readers are slow', async () => {
    await start()
    const [pair] = await pairs(1)

    const heard =
      pair && (await converse(pair.client, pair.desktop, slowly, { ...slowly, total: 15_000_000 }))

    expect(heard).toEqual({ atClient: null, atDesktop: null })
  })

  test('in eight sessions that share what is read into, quiet ones and loud ones', async () => {
    await start()
    const all = await pairs(8)
    const quiet: Manner = {
      total: 200_000,
      writes: [1, 90, 1400, 20_000],
      pauses: [{ after: 30_000, turns: 9 }],
    }

    const heard = await Promise.all(
      all.map(({ client, desktop }, index) =>
        converse(client, desktop, index % 2 === 0 ? quiet : { ...slowly, total: 9_000_000 }, quiet),
      ),
    )

    expect(heard).toEqual(all.map(() => ({ atClient: null, atDesktop: null })))
  })

  test('whatever the sizes and the pauses', async () => {
    await start()
    const sizes = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 5 })
    const pauses = fc.array(
      fc.record({ after: fc.integer({ min: 1, max: 400_000 }), turns: fc.integer({ min: 1, max: 30 }) }),
      { minLength: 1, maxLength: 3 },
    )
    const manner = fc.record({ total: fc.integer({ min: 1, max: 2_000_000 }), writes: sizes, pauses })
    const calm = ({ total, writes, pauses }: Manner): Manner => ({
      // As many steps as a test may take.
      ...{ total: Math.min(total, 400 * Math.min(...writes)), writes },
      pauses: pauses.map(({ after, turns }) => ({ after: Math.max(after, total / 40), turns })),
    })

    await fc.assert(
      fc.asyncProperty(manner, manner, async (down, up) => {
        const [pair] = await pairs(1)
        const heard = pair && (await converse(pair.client, pair.desktop, calm(down), calm(up)))
        expect(heard).toEqual({ atClient: null, atDesktop: null })
      }),
      { numRuns: 40 },
    )
  })
})

describe('the check itself', () => {
  let close: (() => Promise<void>) | undefined
  afterEach(async () => close?.())

  /** A relay with the fault that is easily made: it reads on into its buffer while an earlier write of it is under way. */
  async function brokenRelay(target: { host: string; port: number }, goesOn: boolean): Promise<number> {
    const buffer = Buffer.alloc(256 * 1024)
    const server = createServer({ allowHalfOpen: true }, (client) => {
      const desktop = connect({
        ...target,
        allowHalfOpen: true,
        onread: {
          buffer,
          callback: (size, bytes) => {
            client.write(Buffer.from(bytes.buffer, bytes.byteOffset, size), () => {
              if (!goesOn && client.writableLength === 0) desktop.resume()
            })
            return goesOn || client.writableLength === 0
          },
        },
      })
      client.pipe(desktop)
      desktop.on('end', () => client.end()).resume()
      for (const socket of [client, desktop]) socket.on('error', () => undefined)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    close = async () => {
      server.close()
      await once(server, 'close')
    }
    const bound = server.address()
    return typeof bound === 'object' && bound !== null ? bound.port : 0
  }

  test.each([
    ['finds the bytes that a relay overwrites while it has not sent them yet', true],
    ['finds nothing once that relay waits', false],
  ])('%s', async (_, goesOn) => {
    await start()
    const port = await brokenRelay(host.target, goesOn)
    const client = bare(await dial(port))
    const desktop = bare(await host.next())

    const heard = await converse(client, desktop, slowly, { ...slowly, total: 1 })
    client.destroy()
    desktop.destroy()

    expect({ ...heard, atClient: heard.atClient !== null }).toEqual({ atClient: goesOn, atDesktop: null })
  })
})
