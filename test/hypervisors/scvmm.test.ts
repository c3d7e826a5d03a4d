import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { MachineSpec } from '../../src/hypervisors/hypervisor.ts'
import { commandOf } from '../../src/hypervisors/powershell/script.ts'
import { scripts } from '../../src/hypervisors/scvmm/scripts.ts'
import { component } from '../components.ts'
import { hypervisorContract } from '../contracts/hypervisor-contract.ts'
import { startSshServer } from '../fakes/windows/ssh-server.ts'
import type { Sshd } from '../fakes/windows/sshd.ts'
import type { VmmHost, VmmVm } from '../fakes/windows/vmm-cmdlets.ts'
import { anScvmm, type ScvmmUnderTest, vmmComputers } from '../fakes/windows/vmm.ts'

const patient = () => AbortSignal.timeout(60_000)

// It makes the disc of the first boot.
const xorriso = await component('xorriso', { install: true })
const missing = xorriso.available ? '' : ` (skipped: ${xorriso.remedy})`

let ssh: Sshd
beforeAll(async () => {
  ssh = await startSshServer(vmmComputers)
})
afterAll(() => ssh.close())

describe.skipIf(!xorriso.available)(`a stand-in of VMM${missing}`, () => {
  hypervisorContract('SCVMM (stand-in)', () => anScvmm(ssh))
})

describe.skipIf(!xorriso.available)(`a hypervisor of VMM${missing}`, () => {
  let opened: ScvmmUnderTest

  beforeEach(async () => {
    opened = await anScvmm(ssh)
  })

  afterEach(() => opened.dispose())

  async function made(changes: Partial<MachineSpec> = {}): Promise<VmmVm> {
    const spec: MachineSpec = {
      ...{ ref: 'm-1', name: 'webafs20', host: 'hv1', template: 'slc5', os: 'linux', cpus: 2, memoryGb: 4 },
      ...{ mac: '02:ab:00:00:00:01', administrators: [], ...changes },
    }
    for (const stage of opened.hypervisor.stages) await opened.hypervisor.provision(spec, stage, patient())
    const vm = opened.world.vms.find(({ name }) => name === spec.name)
    if (vm === undefined) throw new Error('no machine was made')
    return vm
  }

  test('a machine has the size, the address, the network, the disc and the note that it is to have', async () => {
    const vm = await made()

    expect(vm).toMatchObject({ cpus: 2, memory: 4096, host: 'hv1.test', disc: `jackdaw-seed-${vm.id}.iso` })
    expect(vm.nic).toEqual({ mac: '02:AB:00:00:00:01', network: 'Production' })
    expect(vm.description.split('\n')[0]).toBe(
      'jackdaw {"ref":"m-1","os":"linux","stage":"ready","base":"SLC5 template","agent":true}',
    )
    expect(opened.world.files.list(opened.world.folder).map(({ name }) => name)).toEqual(['debian.iso'])
  })

  test('an empty machine has a disk of its size and the disc that was named', async () => {
    const vm = await made({ blank: { diskGb: 20, disc: 'debian' } })

    expect(vm).toMatchObject({ disks: [{ size: 20 * 2 ** 30 }], disc: 'debian.iso', state: 'Running' })
  })

  test('what was broken off while it was being made is made again', async () => {
    opened.world.vms.push({ ...(await made({ ref: 'm-2', name: 'other' })), ...broken })

    await made()

    expect(opened.world.vms.map(({ name }) => name).sort()).toEqual(['other', 'webafs20'])
  })

  test('what it does and how VMM finds it are two words, and the first one counts', async () => {
    const vm = await made()
    vm.health = 'UnsupportedCluster'

    const status = await opened.hypervisor.status('m-1', patient())

    expect(status).toMatchObject({ power: 'running', providerState: 'Running (UnsupportedCluster)' })
  })

  test('a host that does not respond to VMM is listed so, and its machines may well run', async () => {
    const vm = await made()
    vm.health = 'HostNotResponding'
    const [host] = opened.world.hosts
    if (host !== undefined) host.isResponding = false

    const { hosts } = await opened.hypervisor.inventory(patient())

    expect(hosts).toMatchObject([
      { name: 'hv1', reachable: false },
      { name: 'hv2', reachable: true, cpus: 16, memoryGb: 71, templates: ['slc5'] },
    ])
    expect(await opened.hypervisor.status('m-1', patient())).toMatchObject({ power: 'unknown', host: 'hv1' })
    const starting = opened.hypervisor.start('m-1', patient())
    await expect(starting).rejects.toMatchObject({ code: 'host_unreachable', transient: true })
  })

  test('a server that is silent is the outage of all', async () => {
    opened.windows.trouble = () => 'cut'

    for (const asking of [
      opened.hypervisor.inventory(patient()),
      opened.hypervisor.start('m-1', patient()),
    ]) {
      await expect(asking).rejects.toMatchObject({ code: 'hypervisor_unreachable', transient: true })
    }
  })

  test('a machine that was set back keeps its size and its note, and has no snapshots', async () => {
    const vm = await made()
    await opened.hypervisor.snapshot('m-1', 'before', patient())
    await opened.hypervisor.resize('m-1', { cpus: 4, memoryGb: 8 }, patient())

    await opened.hypervisor.restoreClean('m-1', patient())

    expect(vm).toMatchObject({ cpus: 4, memory: 8192, state: 'Running', name: 'webafs20' })
    expect(vm.checkpoints.map(({ name }) => name)).toEqual(['jackdaw-clean'])
    expect((await opened.hypervisor.figures('m-1', patient())).snapshots).toEqual([])
    expect((await opened.hypervisor.status('m-1', patient())).power).toBe('running')
  })

  test('a move tells how far it is', async () => {
    await made()
    const shares: number[] = []

    await opened.hypervisor.migrate('m-1', 'hv2', patient(), (share) => shares.push(share))

    expect(shares).toEqual([0.6])
    expect(await opened.hypervisor.status('m-1', patient())).toMatchObject({ host: 'hv2', power: 'running' })
  })

  test('where VMM has no live way a machine is saved, moved and resumed, and it says so', async () => {
    await made()
    rate({ stars: 3, transfer: 'Network', reasons: [] })

    const passage = await opened.hypervisor.passage('m-1', 'hv2', patient())
    await opened.hypervisor.migrate('m-1', 'hv2', patient())

    expect(passage).toMatchObject({ how: 'quick', why: 'VMM would move it by Network, and not live.' })
    expect(await opened.hypervisor.status('m-1', patient())).toMatchObject({ host: 'hv2', power: 'running' })
  })

  test('a host without a star is no way to go, for the reasons of VMM', async () => {
    await made()
    rate({ stars: 0, transfer: 'Live', reasons: ['The host has no network of that name.'] })

    const passage = await opened.hypervisor.passage('m-1', 'hv2', patient())

    expect(passage).toEqual({ how: 'none', why: 'The host has no network of that name.' })
    await expect(opened.hypervisor.migrate('m-1', 'hv2', patient())).rejects.toMatchObject({
      code: 'hypervisor_refused',
      transient: false,
    })
  })

  test.each([
    [2606, 'The machine is locked by another job.', true],
    [12711, 'VMM cannot complete the operation.', false],
  ])('a job that fails with %i is told with what VMM says', async (code, problem, transient) => {
    const vm = await made()
    opened.world.failing.set('Stop-SCVirtualMachine', { code, problem })

    const saving = opened.hypervisor.save('m-1', patient())

    await expect(saving).rejects.toMatchObject({ code: 'hypervisor_refused', transient })
    await expect(saving).rejects.toThrow(`vmm did not save a machine: ${code}, ${problem}`)
    expect(vm.state).toBe('Running')
  })

  test('a guest that ignores that it is asked to shut down is left running', async () => {
    await opened.dispose()
    opened = await anScvmm(ssh, { patience: 'PT0.2S' })
    const vm = await made()
    vm.guest.ignoresShutdown = true

    const asking = opened.hypervisor.shutdown('m-1', patient())

    await expect(asking).rejects.toMatchObject({ code: 'guest_ignored', transient: true })
    expect(vm.state).toBe('Running')
  })

  test('its consoles are refused with where they are', async () => {
    await made()

    const looking = opened.hypervisor.console('m-1', 'screen', patient())

    await expect(looking).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    await expect(looking).rejects.toThrow('hv1')
  })

  test('a machine that is stopped behind our back is told of', async () => {
    const vm = await made()
    const stop = new AbortController()
    const heard = opened.hypervisor.changes(stop.signal)[Symbol.asyncIterator]()
    const next = heard.next()
    await expect.poll(() => opened.windows.running).toBe(1)
    await opened.hypervisor.inventory(patient())

    vm.state = 'PowerOff'

    expect(await next).toEqual({ done: false, value: 'm-1' })
    stop.abort(new Error('nobody follows any more'))
  })

  function rate(rating: VmmHost['rating']): void {
    for (const host of opened.world.hosts) host.rating = rating
  }
})

const broken = {
  id: randomUUID(),
  name: 'jackdaw-making-m-1',
  description: '',
  state: 'CreationFailed',
  checkpoints: [],
}

test('no script of VMM is too long for the command line of Windows', () => {
  const lengths = Object.values(scripts).map((script) => commandOf(script).length)

  expect(Math.max(...lengths)).toBeLessThan(8000)
})
