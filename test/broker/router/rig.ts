import { afterEach, beforeEach } from 'vitest'
import { openRouter, type Router, type RouterOptions } from '../../../broker/router/listener.ts'
import { Refusal } from '../../../src/base/errors.ts'
import { silentLog } from '../../../src/base/log.ts'
import { request } from './packets.ts'
import { dial, type End, gate, openStubHost, type StubHost } from './wire.ts'

export const hello = request('Cookie: msts=good\r\n', '0100080003000000')
export const stranger = request('Cookie: msts=bad\r\n', '0100080003000000')

/** A desktop, and a router with one lease, L-1, that the token in `hello` opens while it is alive. Anew for each test. */
export let host: StubHost
export let router: Router
export let alive: Set<string>
/** What the router told of, in order. */
export let told: string[]
/** Opens with the reason when the first connection has ended. */
export let ended: ReturnType<typeof gate<string>>

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

export async function start(changes: Partial<RouterOptions> = {}): Promise<void> {
  router = await openRouter({
    host: '127.0.0.1',
    port: 0,
    log: silentLog,
    now: Date.now,
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
}

export function unknown(): Refusal {
  return new Refusal('unknown_ticket', 'Nobody knows this ticket.')
}

/** A client whose request has reached the desktop. */
export async function session(): Promise<{ client: End; desktop: End }> {
  const client = await dial(router.port, hello)
  const desktop = await host.next()
  await desktop.has(hello.length / 2)
  return { client, desktop }
}
