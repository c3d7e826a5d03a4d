import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { haproxyConfig } from '../../../broker/router/haproxy.ts'
import { type HaproxyRuntime, haproxyRuntime } from '../../../broker/router/haproxy-runtime.ts'
import { parseProxyHeader } from '../../../broker/router/proxy-header.ts'
import { silentLog } from '../../../src/base/log.ts'
import { type DataPlane, openDataPlane } from '../../../src/desktop-router/data-plane.ts'
import { system } from '../../../src/identity/person.ts'
import { endLeaseNow } from '../../../src/operations/end-lease.ts'
import { openDesktop } from '../../../src/operations/open-desktop.ts'
import { showLease } from '../../../src/operations/show-lease.ts'
import { component } from '../../components.ts'
import { type Core, openCore } from '../../operations/core.ts'
import { freePort } from '../../service/process.ts'
import { request } from './packets.ts'
import { dial, type End, openStubHost, type StubHost } from './wire.ts'

const haproxy = await component('haproxy', { install: true })
const patiently = { timeout: 30_000, interval: 20 }

describe.skipIf(!haproxy.available)(
  `HAProxy before the router ${haproxy.available ? '' : haproxy.remedy}`,
  () => {
    let folder: string
    let port: number
    let core: Core
    let plane: DataPlane
    let runtime: HaproxyRuntime
    /** Stands for our own router behind it. */
    let behind: StubHost
    let stop: () => Promise<void>
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'haproxy-'))
      port = await freePort()
      behind = await openStubHost()
      const [mapPath, socketPath] = [join(folder, 'tickets.map'), join(folder, 'runtime.sock')]
      const file = join(folder, 'haproxy.cfg')
      await writeFile(mapPath, '')
      const config = haproxyConfig({ bind: `127.0.0.1:${port}`, mapPath, socketPath, router: behind.target })
      await writeFile(file, config)
      const child = spawn(haproxy.available ? haproxy.path : '', ['-db', '-q', '-f', file], {
        stdio: 'ignore',
      })
      stop = async () => {
        child.kill('SIGKILL')
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      }
      runtime = haproxyRuntime(socketPath, mapPath)
      await expect.poll(() => runtime.tickets().catch(() => null), patiently).toEqual(new Map())
      core = await openCore()
      const {
        store,
        operations,
        config: { site },
      } = core
      plane = openDataPlane({ runtime, store, operations, site, log: silentLog, process: 'P-edge' })
    })
    afterEach(async () => {
      await plane.stop()
      await core.close()
      await stop()
      await behind.close()
      await rm(folder, { recursive: true })
    })

    async function open(user: string): Promise<{ lease: string; hello: string }> {
      const { lease, rdp } = await core.operations.perform(openDesktop, await core.as(user), {
        pool: 'public',
      })
      const token = /^loadbalanceinfo:s:(.*)\r$/m.exec(rdp ?? '')?.[1] ?? ''
      return { lease, hello: request(`${token}\r\n`, '0100080003000000') }
    }

    async function session(hello: string): Promise<End> {
      const client = await dial(port, hello)
      await client.has(19)
      return client
    }

    const leaseNow = (id: string) => core.operations.perform(showLease, system(), { id })

    test('carries sessions to their desktops by ticket, and their leases know of it', async () => {
      const [carol, alice] = [await open('carol'), await open('alice')]
      await plane.step()

      const clients = [await session(carol.hello), await session(carol.hello), await session(alice.hello)]
      for (const client of clients) client.socket.write('echo')
      await Promise.all(clients.map(({ has }) => has(23)))
      await plane.step()
      const during = [await leaseNow(carol.lease), await leaseNow(alice.lease)]
      for (const client of clients) client.socket.destroy()
      await expect.poll(() => runtime.sessions(), patiently).toEqual([])
      await plane.step()

      expect(behind.dials()).toBe(0)
      expect(during).toMatchObject([{ state: 'connected' }, { state: 'connected' }])
      expect(await leaseNow(carol.lease)).toMatchObject({ state: 'disconnected' })
    })

    test('cuts a lease that is taken away within a second, and its ticket leads past the desktop from then on', async () => {
      const [carol, alice] = [await open('carol'), await open('alice')]
      await plane.step()
      const [hers, other] = [await session(carol.hello), await session(alice.hello)]
      const start = performance.now()

      await core.operations.perform(endLeaseNow, system(), { id: carol.lease })
      await hers.over
      const took = performance.now() - start
      await dial(port, carol.hello)
      const router = await behind.next()
      const header = parseProxyHeader(await router.has(28))

      expect(took).toBeLessThan(1_000)
      expect(other.socket.destroyed).toBe(false)
      expect([...(await runtime.tickets()).keys()]).toHaveLength(1)
      expect(header).toMatchObject({ kind: 'header', from: { address: '127.0.0.1', localPort: port } })
    })

    test('leaves whoever carries no ticket to our own router, and says where they come from', async () => {
      const said = request('Cookie: mstshash=carol\r\n', '')

      const client = await dial(port, said)
      const router = await behind.next()
      const received = await router.has(28 + said.length / 2)

      expect(parseProxyHeader(received)).toMatchObject({
        from: { address: '127.0.0.1', port: client.socket.localPort },
      })
      expect(received.subarray(28).toString('hex')).toBe(said)
    })

    test('is brought in step again after it has forgotten everything', async () => {
      const { hello } = await open('carol')
      await plane.step()
      const [ticket = ''] = (await runtime.tickets()).keys()
      await runtime.change(
        new Map([
          [ticket, null],
          ['stranger', { host: '127.0.0.1', port: 9 }],
        ]),
      )

      await plane.step()

      expect([...(await runtime.tickets()).keys()]).toEqual([ticket])
      await session(hello)
    })
  },
)

test('a socket that nobody answers on is an outage that may pass', async () => {
  const runtime = haproxyRuntime(join(tmpdir(), 'no-such-socket'), 'tickets.map')

  await expect(runtime.tickets()).rejects.toMatchObject({ code: 'haproxy_unreachable', transient: true })
})
