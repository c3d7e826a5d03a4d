import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mutated } from './corpus.ts'
import { hello, host, router, start, unknown } from './rig.ts'

/** How many mutated greetings are sent over real sockets in each run; 100,000 more are read in `fuzz-reader.test.ts`. */
const sent = 4_000
const together = 50

test(`${sent} over real sockets: each ends in a counted outcome, and nothing is left of any`, async () => {
  await start({
    greetingMillis: 250,
    connectMillis: 1_000,
    lingerMillis: 50,
    find: async ({ routingToken, mstshash }) => {
      if (routingToken === null && mstshash === null) throw unknown()
      return { lease: `L-${mstshash ?? ''}`, target: host.target }
    },
    connected: async () => undefined,
    disconnected: async () => undefined,
  })
  // Desktops that hang up as soon as they were asked.
  void answerAll()
  const samples = fc.sample(fc.tuple(mutated, fc.nat()), { numRuns: sent, seed: 7 })
  const half = sent / 2

  await dialAll(samples.slice(0, half))
  const before = await footprint()
  await dialAll(samples.slice(half))
  const after = await footprint()

  const { open, outcomes } = await router.counts()
  expect(open).toBe(0)
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(sent)
  expect(outcomes['failed']).toBeUndefined()
  expect(outcomes['relayed']).toBeGreaterThan(100)
  expect(after.resources).toEqual(before.resources)
  expect(after.heap - before.heap).toBeLessThan(4_000_000)
})

async function answerAll(): Promise<void> {
  for (;;) {
    const { socket } = await host.next()
    socket.end('a desktop that says no')
  }
}

/** Dials with many at a time, in one piece or two, staying, leaving or vanishing. */
async function dialAll(samples: readonly [Buffer, number][]): Promise<void> {
  const queue = [...samples]
  await Promise.all(
    Array.from({ length: together }, async () => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) await once(knock(...next), 'close')
    }),
  )
  while ((await router.counts()).open > 0) await turn()
}

function knock(bytes: Buffer, manner: number) {
  const socket = connect({ host: '127.0.0.1', port: router.port })
  const cut = manner % (bytes.length + 1)
  socket.on('error', () => undefined).resume()
  socket.once('connect', () => {
    socket.write(bytes.subarray(0, cut))
    setImmediate(() => {
      if (manner % 11 === 0) socket.resetAndDestroy()
      else if (manner % 5 === 0) socket.end(bytes.subarray(cut))
      else socket.write(bytes.subarray(cut))
    })
  })
  return socket
}

/** What the process holds: timers and sockets by kind, and the heap after everything was let go that could be. */
async function footprint(): Promise<{ resources: Record<string, number>; heap: number }> {
  for (let each = 0; each < 20; each++) await turn()
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function')
    for (let each = 0; each < 3; each++) Reflect.apply(collect, undefined, [])
  const resources: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) {
    if (/TCP|Timeout/.test(kind)) resources[kind] = (resources[kind] ?? 0) + 1
  }
  return { resources, heap: process.memoryUsage().heapUsed }
}

test('a greeting that is good still gets through afterwards', async () => {
  await start()
  const socket = connect({ host: '127.0.0.1', port: router.port })
  socket.write(Buffer.from(hello, 'hex'))

  const desktop = await host.next()

  expect((await desktop.has(hello.length / 2)).toString('hex')).toBe(hello)
  socket.destroy()
})
