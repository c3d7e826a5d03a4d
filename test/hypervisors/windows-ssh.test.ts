import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { MachineSpec } from '../../src/hypervisors/hypervisor.ts'
import { component } from '../components.ts'
import { aHyperV, hyperVComputers, type HyperVUnderTest } from '../fakes/windows/hyperv.ts'
import { type Sshd, startSshd } from '../fakes/windows/sshd.ts'

const daemon = await component('sshd', { install: true })
// It makes the disc of the first boot.
const xorriso = await component('xorriso', { install: true })
const isReady = daemon.available && xorriso.available
const missing = [daemon, xorriso]
  .flatMap((one) => (one.available ? [] : [` (skipped: ${one.remedy})`]))
  .join('')
const patient = () => AbortSignal.timeout(60_000)

const spec: MachineSpec = {
  ...{ ref: 'm-1', name: 'webafs20', host: 'hv1', template: 'slc5', os: 'linux', cpus: 1, memoryGb: 1 },
  ...{ mac: '02:00:00:00:00:01', administrators: [] },
}

describe.skipIf(!isReady)(`PowerShell over a real sshd${missing}`, () => {
  let sshd: Sshd
  let proxy: Server
  let through: Set<Socket>
  let opened: HyperVUnderTest

  beforeAll(async () => {
    sshd = await startSshd(daemon.available ? daemon.path : '', hyperVComputers)
  })

  beforeEach(async () => {
    through = new Set()
    proxy = createServer((near) => {
      const far = connect(sshd.port('hv1.test'), '127.0.0.1')
      through.add(near)
      near.pipe(far).pipe(near)
      for (const end of [near, far]) end.on('error', () => undefined)
      near.on('close', () => far.destroy())
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const host = { name: 'hv1', slots: 40, address: '127.0.0.1', computer: 'hv1.test' }
    const { fingerprint } = sshd
    opened = await aHyperV(sshd, { hosts: [{ ...host, port: portOf(proxy), fingerprint }] })
  })

  afterEach(async () => {
    await opened.dispose()
    proxy.close()
  })

  afterAll(() => sshd.close())

  test('a machine is made, shut down, started, saved and removed', async () => {
    const { hypervisor } = opened
    const powers: string[] = []
    const look = async () => powers.push((await hypervisor.status('m-1', patient())).power)

    for (const stage of hypervisor.stages) await hypervisor.provision(spec, stage, patient())
    await look()
    await hypervisor.shutdown('m-1', patient())
    await look()
    await hypervisor.start('m-1', patient())
    await hypervisor.save('m-1', patient())
    await look()
    await hypervisor.remove('m-1', patient())
    await look()

    expect(powers).toEqual(['running', 'stopped', 'saved', 'missing'])
    expect(through.size).toBe(1)
  })

  test('a connection that is cut in the middle of a call is an outage, and the next call dials again', async () => {
    const { hypervisor, windows } = opened
    let asked = 0
    windows.trouble = () => {
      asked += 1
      return 'hang'
    }

    const listing = hypervisor.inventory(patient())
    await expect.poll(() => asked).toBe(1)
    for (const socket of through) socket.destroy()

    await expect(listing).rejects.toMatchObject({ code: 'hypervisor_unreachable', transient: true })
    delete windows.trouble
    expect((await hypervisor.inventory(patient())).hosts).toMatchObject([{ name: 'hv1', reachable: true }])
    expect(through.size).toBe(2)
  })

  test('a call that is given up ends its powershell on the other side, and the connection goes on', async () => {
    const { hypervisor, world } = opened
    const stop = new AbortController()
    const reason = new Error('nobody waits any more')
    for (const stage of hypervisor.stages) await hypervisor.provision(spec, stage, patient())
    const [vm] = world.computer('hv1.test').vms
    if (vm === undefined) throw new Error('no machine was made')
    vm.guest.ignoresShutdown = true

    const asking = hypervisor.shutdown('m-1', stop.signal)
    await expect.poll(() => opened.running()).toBe(1)
    stop.abort(reason)

    await expect(asking).rejects.toBe(reason)
    await expect.poll(() => opened.running()).toBe(0)
    expect((await hypervisor.status('m-1', patient())).power).toBe('running')
    expect(through.size).toBe(1)
  })

  test('a host that shows another key is not talked to', async () => {
    const other = `SHA256:${'A'.repeat(43)}`
    const host = { name: 'hv1', slots: 40, address: '127.0.0.1', port: sshd.port('hv1.test') }
    const stranger = await aHyperV(sshd, { hosts: [{ ...host, fingerprint: other }] })

    const asking = stranger.hypervisor.start('m-1', patient())

    await expect(asking).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    await expect(asking).rejects.toThrow(sshd.fingerprint)
    await stranger.dispose()
  })

  test('an account that is not let in is told so', async () => {
    const ssh = { user: 'nobody-of-that-name', keyFile: sshd.keyFile }
    const stranger = await aHyperV(sshd, { ssh })

    const asking = stranger.hypervisor.start('m-1', patient())

    await expect(asking).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    await expect(asking).rejects.toThrow('nobody-of-that-name')
    await stranger.dispose()
  })

  test('what is typed goes to the serial line of the machine and comes back from it', async () => {
    const { hypervisor } = opened
    for (const stage of hypervisor.stages) await hypervisor.provision(spec, stage, patient())

    const line = await hypervisor.console('m-1', 'serial', patient())
    line.write('login: alice\r\n')
    const heard: unknown[] = await once(line, 'data')

    expect(String(heard[0])).toBe('login: alice\r\n')
    line.destroy()
  })
})

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
