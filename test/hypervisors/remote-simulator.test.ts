import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import type { Hypervisor } from '../../src/hypervisors/hypervisor.ts'
import { remoteSimulator } from '../../src/hypervisors/remote-simulator.ts'
import { serveSimulator, type SimulatorServer } from '../../src/hypervisors/simulator-server.ts'
import type { ServerAddress } from '../../src/hypervisors/simulator-rule.ts'
import { hypervisorContract } from '../contracts/hypervisor-contract.ts'
import { freePort } from '../service/process.ts'
import { aSimulator, aSpec, never, provision, type Simulated } from './simulated.ts'

async function contractOn(where: (folder: string) => Promise<ServerAddress>) {
  const folder = await mkdtemp(join(tmpdir(), 'jackdaw-'))
  const server = await where(folder)
  const farm = await aSimulator()
  const served = await serveSimulator(farm, server, silentLog)
  const hypervisor = remoteSimulator({ name: 'wod', server })
  const dispose = async () => {
    await hypervisor.close()
    await served.close()
    await farm.close()
    await rm(folder, { recursive: true })
  }
  return { hypervisor, host: 'small', otherHost: 'big', folder, dispose }
}

hypervisorContract('the simulator behind a socket', () =>
  contractOn(async (folder) => ({ path: join(folder, 'wod.sock') })),
)
hypervisorContract('the simulator behind a port', () =>
  contractOn(async () => ({ host: '127.0.0.1', port: await freePort() })),
)

describe('a simulator that several processes use', () => {
  let folder: string
  let server: { path: string }
  let farm: Simulated
  let served: SimulatorServer
  let users: Hypervisor[]

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jackdaw-'))
    server = { path: join(folder, 'deeper', 'wod.sock') }
    farm = await aSimulator({ services: { sleep: undefined }, rule: { stage: 'PT0.01S' } })
    served = await serveSimulator(farm, server, silentLog)
    users = [remoteSimulator({ name: 'wod', server }), remoteSimulator({ name: 'wod', server })]
  })

  afterEach(async () => {
    await Promise.all(users.map((user) => user.close()))
    await served.close()
    await farm.close()
    await rm(folder, { recursive: true })
  })

  function user(index: number): Hypervisor {
    const one = users[index]
    if (one === undefined) throw new Error('there is no such user')
    return one
  }

  test('is one farm: what one makes the other sees, with where its RDP server listens', async () => {
    await provision(user(0), aSpec())

    const seen = await user(1).status('m-1', never)

    expect(seen).toMatchObject({ power: 'running', rdp: { host: '127.0.0.1' } })
    expect(seen).toEqual(await farm.status('m-1', never))
  })

  test.each([
    [{ code: 'host_unreachable', transient: true }],
    [{ code: 'hypervisor_refused', transient: false }],
  ] as const)('passes on how the farm fails: %o', async (outage) => {
    farm.fault({ on: 'inventory', outage })

    const asked = user(0).inventory(never)

    await expect(asked).rejects.toMatchObject({ name: 'Outage', ...outage })
  })

  test('is told when a caller gives up, and answers the next call', async () => {
    const giveUp = new AbortController()
    farm.fault({ on: 'status', outage: 'hang' })
    const hanging = user(0).status('m-1', giveUp.signal)
    await user(0).inventory(never)

    giveUp.abort(new Error('nobody waits any more'))

    await expect(hanging).rejects.toThrow('nobody waits any more')
    expect(await user(0).status('m-1', never)).toMatchObject({ power: 'missing' })
  })

  test('breaks off what a process asked for that hung up', async () => {
    const slow = await aSimulator({ services: { sleep: undefined }, rule: { stage: 'PT1H' } })
    const there = { path: join(folder, 'slow.sock') }
    const slowServed = await serveSimulator(slow, there, silentLog)
    const leaving = remoteSimulator({ name: 'slow', server: there })
    const making = leaving.provision(aSpec(), leaving.stages[0] ?? '', never)
    const made = making.catch((error: unknown) => error)
    await leaving.inventory(never)

    await leaving.close()

    expect(await made).toMatchObject({ code: 'hypervisor_unreachable', transient: true })
    await slowServed.close()
    await slow.close()
    expect(slow.machine('m-1')).toBeUndefined()
  })

  test('that is gone is an outage, and is used again when it is back', async () => {
    await user(0).inventory(never)
    await served.close()

    const away = user(0).inventory(never)
    await expect(away).rejects.toMatchObject({ code: 'hypervisor_unreachable', transient: true })
    served = await serveSimulator(farm, server, silentLog)

    expect((await user(0).inventory(never)).hosts.map(({ name }) => name)).toEqual(['big', 'small'])
  })

  test('is served on a socket that is for its user alone, once at a time', async () => {
    const second = serveSimulator(farm, server, silentLog)

    await expect(second).rejects.toMatchObject({ code: 'simulator_cannot_listen', transient: false })
    expect((await stat(server.path)).mode & 0o777).toBe(0o600)
    expect((await user(0).inventory(never)).hosts).toHaveLength(2)
  })

  test('takes over a socket that a killed one has left', async () => {
    const path = join(folder, 'left.sock')
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    await once(spawn(process.execPath, ['-e', script]), 'exit')

    const again = await serveSimulator(farm, { path }, silentLog)

    const other = remoteSimulator({ name: 'wod', server: { path } })
    expect((await other.inventory(never)).hosts).toHaveLength(2)
    await other.close()
    await again.close()
  })

  test('lends a console, which ends with the power of its machine', async () => {
    await provision(user(0), aSpec())
    const line = await user(0).console('m-1', 'serial', never)
    let said = ''
    line.on('data', (bytes: Buffer) => (said += bytes.toString('utf8')))

    line.write('hello\r')
    await vi.waitUntil(() => said.includes('You typed: hello'))
    const over = once(line, 'close')
    await user(0).powerOff('m-1', never)

    await over
    await expect(user(0).console('m-1', 'screen', never)).rejects.toMatchObject({
      code: 'hypervisor_refused',
    })
  })

  test('shows the small picture that the farm has', async () => {
    await provision(user(0), aSpec())

    const { thumbnail } = await user(0).figures('m-1', never)

    const known = (await farm.figures('m-1', never)).thumbnail?.body
    expect(known?.length).toBeGreaterThan(500)
    expect(thumbnail?.body).toEqual(known)
  })

  test('hangs up on whoever speaks otherwise', async () => {
    const stranger = connect(server.path)

    stranger.write('GET / HTTP/1.1\r\n\r\n')

    await expect(once(stranger, 'close')).resolves.toEqual([false])
    expect((await user(0).inventory(never)).hosts).toHaveLength(2)
  })
})
