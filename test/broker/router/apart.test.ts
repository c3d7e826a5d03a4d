import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { openRouterApart } from '../../../broker/router/apart.ts'
import { negotiationFailure } from '../../../broker/router/greeting.ts'
import type { Router, RouterOptions } from '../../../broker/router/listener.ts'
import { Refusal } from '../../../src/base/errors.ts'
import { silentLog } from '../../../src/base/log.ts'
import { packagePath } from '../../../src/base/package-root.ts'
import { request } from './packets.ts'
import { dial, type End, gate, openStubHost, type StubHost } from './wire.ts'

const hello = request('Cookie: msts=good\r\n', '0100080003000000')
const stranger = request('Cookie: msts=bad\r\n', '0100080003000000')
const built = pathToFileURL(packagePath('dist', 'broker', 'router', 'thread.js'))
/** Threads start slowly where there is much else to do. */
const patiently = { timeout: 30_000 }
const breaks = new URL('thread-that-breaks.mjs', import.meta.url)

let router: Router | undefined
let host: StubHost
let told: string[]
afterEach(async () => {
  await router?.shutdown()
  await host.close()
})

async function start(changes: Partial<RouterOptions> = {}, file = built): Promise<Router> {
  host = await openStubHost()
  told = []
  router = await openRouterApart(
    {
      host: '127.0.0.1',
      port: 0,
      log: silentLog,
      now: Date.now,
      find: async ({ routingToken }) => {
        if (routingToken !== 'Cookie: msts=good') throw new Refusal('unknown_ticket', 'Nobody knows it.')
        return { lease: 'L-1', target: host.target }
      },
      connected: async (lease) => void told.push(`${lease} connected`),
      disconnected: async (lease, { reason }) => void told.push(`${lease} ${reason}`),
      ...changes,
    },
    file,
  )
  return router
}

async function session(port: number): Promise<{ client: End; desktop: End }> {
  const client = await dial(port, hello)
  const desktop = await host.next()
  await desktop.has(hello.length / 2)
  return { client, desktop }
}

describe('a router in a thread of its own', () => {
  test('relays, refuses, counts and closes as one that is not', async () => {
    const { port, ...own } = await start()
    const { client, desktop } = await session(port)
    desktop.socket.write('a picture')
    await client.has(9)
    const refused = await dial(port, stranger)
    await refused.over

    const during = await own.sessions()
    const cut = await own.close('L-1', 'revoked')
    await Promise.all([client.over, desktop.over])

    expect(refused.received()).toEqual(negotiationFailure())
    expect(during).toMatchObject([{ lease: 'L-1', target: host.target, traffic: { toClient: 9 } }])
    expect(cut).toBe(1)
    await expect.poll(() => told, patiently).toEqual(['L-1 connected', 'L-1 revoked'])
    await expect
      .poll(() => own.counts(), patiently)
      .toEqual({ open: 0, outcomes: { relayed: 1, unknown_ticket: 1 } })
  })

  test('turns a client away whose lease has ended by the time it is told of it', async () => {
    const refuse = new Refusal('lease_ended', 'It has ended.')
    const { port, ...own } = await start({ connected: () => Promise.reject(refuse) })

    const client = await dial(port, hello)
    await client.over

    expect(client.received()).toEqual(negotiationFailure())
    expect((await own.counts()).outcomes).toEqual({ lease_ended: 1 })
  })

  test('cuts at an end that has moved', async () => {
    const { port, ...own } = await start()
    const { client } = await session(port)

    await own.limit('L-1', Date.now() + 20)
    await client.over

    await expect.poll(() => told, patiently).toEqual(['L-1 connected', 'L-1 lease_ended'])
  })

  test('says so when its address is taken', async () => {
    const { port } = await start()

    const second = openRouterApart(
      {
        ...{ host: '127.0.0.1', port, log: silentLog, now: Date.now },
        find: () => Promise.reject(new Error('nobody asks')),
        connected: async () => undefined,
        disconnected: async () => undefined,
      },
      built,
    )

    await expect(second).rejects.toMatchObject({ code: 'router_cannot_listen', transient: false })
  })

  test('that breaks down loses its connections, says so, and is there again on the same port', async () => {
    const lost = gate()
    const { port, ...own } = await start(
      {
        disconnected: async (lease, { reason }) => {
          told.push(`${lease} ${reason}`)
          lost.open()
        },
      },
      breaks,
    )
    const { client } = await session(port)

    await expect(own.limit('break', null)).rejects.toThrow('the router is gone')
    await Promise.all([client.over, lost.promise])
    await expect.poll(() => own.sessions().catch(() => null), patiently).toEqual([])
    const again = await session(port)

    expect(told).toEqual(['L-1 connected', 'L-1 router_lost', 'L-1 connected'])
    again.client.socket.destroy()
    again.desktop.socket.destroy()
  })
})

test('sessions go on while the process that owns the router is busy with something else', async () => {
  host = await openStubHost()
  const script = fileURLToPath(new URL('busy-owner.mjs', import.meta.url))
  const owner = spawn(process.execPath, [script, String(host.target.port), '30000'])
  let said = ''
  owner.stdout.on('data', (text: Buffer) => (said += text.toString()))
  await expect.poll(() => said, patiently).toMatch(/^\d+\n/)
  const { client, desktop } = await session(Number(said))
  owner.stdin.write('work')
  await expect.poll(() => said, patiently).toMatch(/busy\n$/)

  for (let bytes = 1; bytes <= 50; bytes++) {
    client.socket.write('x')
    await desktop.has(hello.length / 2 + bytes)
  }
  const whatItSaid = said

  expect(whatItSaid).toMatch(/busy\n$/)
  owner.kill('SIGKILL')
  await once(owner, 'exit')
})
