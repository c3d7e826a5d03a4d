import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { MachineSpec } from '../../src/hypervisors/hypervisor.ts'
import { scripts } from '../../src/hypervisors/hyperv/scripts.ts'
import { commandOf } from '../../src/hypervisors/powershell/script.ts'
import { component } from '../components.ts'
import { hypervisorContract } from '../contracts/hypervisor-contract.ts'
import { aVm, type Computer, type Vm } from '../fakes/windows/hyperv-world.ts'
import { aHyperV, hyperVComputers, type HyperVUnderTest } from '../fakes/windows/hyperv.ts'
import { startSshServer } from '../fakes/windows/ssh-server.ts'
import type { Sshd } from '../fakes/windows/sshd.ts'
import { PsError } from '../fakes/windows/values.ts'

const patient = () => AbortSignal.timeout(60_000)

// It makes the disc of the first boot.
const xorriso = await component('xorriso', { install: true })
const missing = xorriso.available ? '' : ` (skipped: ${xorriso.remedy})`

let ssh: Sshd
beforeAll(async () => {
  ssh = await startSshServer(hyperVComputers)
})
afterAll(() => ssh.close())

describe.skipIf(!xorriso.available)(`a stand-in of Hyper-V${missing}`, () => {
  hypervisorContract('Hyper-V (stand-in)', () => aHyperV(ssh))
})

describe.skipIf(!xorriso.available)(`a hypervisor of Hyper-V hosts${missing}`, () => {
  let opened: HyperVUnderTest

  beforeEach(async () => {
    opened = await aHyperV(ssh)
  })

  afterEach(() => opened.dispose())

  async function made(changes: Partial<MachineSpec> = {}): Promise<Vm> {
    const { hypervisor, world } = opened
    const spec: MachineSpec = {
      ...{ ref: 'm-1', name: 'webafs20', host: 'hv1', template: 'slc5', os: 'linux', cpus: 1, memoryGb: 1 },
      ...{ mac: '02:ab:00:00:00:01', administrators: [], ...changes },
    }
    for (const stage of hypervisor.stages) await hypervisor.provision(spec, stage, patient())
    return only([...world.computers.values()].flatMap(({ vms }) => vms))
  }

  test('what people give is data to PowerShell, and is found in the machine as it was given', async () => {
    const hostile = "it's $(Stop-Computer); `whoami` \u201cquoted\u201d \u00fc"
    const vm = await made()
    vm.name = hostile

    await opened.hypervisor.snapshot('m-1', "a'; Remove-VM *", patient())

    expect((await opened.hypervisor.status('m-1', patient())).name).toBe(hostile)
    expect(vm.checkpoints).toMatchObject([{ name: "a'; Remove-VM *" }])
  })

  test('a machine has the address, the switch, the disks and the notes that it is to have', async () => {
    const vm = await made({ administrators: [{ user: 'alice', keys: ['ssh-ed25519 AAAA alice'] }] })

    expect(vm).toMatchObject({ name: 'webafs20', nic: { mac: '02AB00000001', switchName: 'Production' } })
    expect(vm).toMatchObject({ disks: ['D:\\Jackdaw\\m-1\\disk.vhdx'], dvds: ['D:\\Jackdaw\\m-1\\seed.iso'] })
    expect(vm).toMatchObject({
      secureBoot: 'Off:',
      pipe: '\\\\.\\pipe\\jackdaw-m-1',
      checkpointType: 'Standard',
    })
    expect(vm.notes.split('\n')[0]).toBe(
      'jackdaw {"ref":"m-1","os":"linux","stage":"ready","base":"D:\\\\Templates\\\\slc5.vhdx","agent":true}',
    )
    expect(seedOf(vm)).toContain('"ssh_authorized_keys"')
  })

  test('an empty machine boots from the disc that was named, and has no seed', async () => {
    const vm = await made({ blank: { diskGb: 20, disc: 'debian' } })

    const [disk] = (await opened.hypervisor.figures('m-1', patient())).disks
    expect(vm).toMatchObject({ dvds: ['D:\\iso\\debian.iso'], state: 'Running' })
    expect(disk).toMatchObject({ sizeGb: 20 })
    await expect(opened.hypervisor.restoreClean('m-1', patient())).rejects.toMatchObject({
      code: 'hypervisor_refused',
      transient: false,
    })
  })

  test.each([
    ['template', { template: 'slc9' }, 'slc9'],
    ['disc', { blank: { diskGb: 20, disc: 'slackware' } }, 'slackware'],
  ])('a %s that it does not have is refused by its name', async (_what, changes, name) => {
    const making = made(changes)

    await expect(making).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    await expect(making).rejects.toThrow(name)
  })

  test('an isolated machine is connected to nothing', async () => {
    const vm = await made({ isolated: true })

    expect(vm.nic.switchName).toBe('')
    expect(await opened.hypervisor.status('m-1', patient())).toMatchObject({
      power: 'running',
      address: null,
    })
  })

  test('a machine that was set back has a disk with nothing of before, and no snapshots', async () => {
    const vm = await made()
    await opened.hypervisor.snapshot('m-1', 'before', patient())

    await opened.hypervisor.restoreClean('m-1', patient())

    expect(vm).toMatchObject({ disks: ['D:\\Jackdaw\\m-1\\disk-b.vhdx'], checkpoints: [], state: 'Running' })
    const { files } = opened.world.computer('hv1.test')
    expect(files.exists('D:\\Jackdaw\\m-1\\disk.vhdx')).toBe(false)
    expect(files.disk('D:\\Jackdaw\\m-1\\disk-b.vhdx')).toMatchObject({ parent: 'D:\\Templates\\slc5.vhdx' })
  })

  test('a guest that ignores that it is asked to shut down is left running', async () => {
    const impatient = await aHyperV(ssh, { patience: 'PT0.2S' })
    await opened.dispose()
    opened = impatient
    const vm = await made()
    vm.guest.ignoresShutdown = true

    const asking = opened.hypervisor.shutdown('m-1', patient())

    await expect(asking).rejects.toMatchObject({ code: 'guest_ignored', transient: true })
    expect(vm.state).toBe('Running')
  })

  test('a move tells how far it is', async () => {
    await made()
    const shares: number[] = []

    await opened.hypervisor.migrate('m-1', 'hv2', patient(), (share) => shares.push(share))

    expect(shares).toEqual([0.34, 0.68])
    expect(opened.world.computer('hv2.test').vms).toMatchObject([{ name: 'webafs20', state: 'Running' }])
  })

  test.each([
    ['another processor', (target: Computer) => (target.processor = 'EPYC 7763'), 'processor-specific'],
    ['no such switch', (target: Computer) => (target.switches = []), 'Ethernet switch'],
    ['no delegation', (target: Computer) => (target.isClosed = true), 'establish a connection'],
  ])('a host with %s is no way to go, and it says why', async (_what, spoil, why) => {
    await made()
    spoil(opened.world.computer('hv2.test'))

    const passage = await opened.hypervisor.passage('m-1', 'hv2', patient())

    expect(passage.how).toBe('none')
    expect('why' in passage ? passage.why : '').toContain(why)
    await expect(opened.hypervisor.migrate('m-1', 'hv2', patient())).rejects.toThrow(why)
  })

  test('its screen is refused with where it can be seen, and shown small', async () => {
    await made()

    const looking = opened.hypervisor.console('m-1', 'screen', patient())

    await expect(looking).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    await expect(looking).rejects.toThrow('vmconnect')
    const { thumbnail } = await opened.hypervisor.figures('m-1', patient())
    expect(
      Buffer.from(thumbnail?.body ?? [])
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG')
  })

  test('the serial line carries bytes both ways', async () => {
    await made()

    const line = await opened.hypervisor.console('m-1', 'serial', patient())
    line.write('root\r')

    const heard: unknown[] = await once(line, 'data')
    expect(String(heard[0])).toBe('root\r')
    line.destroy()
  })

  test('a host that is silent is listed so, and its machines may well run', async () => {
    await made()
    opened.windows.trouble = ({ computer }) => (computer === 'hv1.test' ? 'cut' : undefined)

    const { hosts, machines } = await opened.hypervisor.inventory(patient())

    expect(hosts).toMatchObject([
      { name: 'hv1', reachable: false },
      { name: 'hv2', reachable: true, cpus: 16, memoryGb: 64, cpu: 'Xeon E5-2690', templates: ['slc5'] },
    ])
    expect(machines).toEqual([])
    expect(await opened.hypervisor.status('m-1', patient())).toMatchObject({ power: 'unknown', host: 'hv1' })
    await expect(opened.hypervisor.start('m-1', patient())).rejects.toMatchObject({
      code: 'host_unreachable',
    })
    await expect(opened.hypervisor.remove('m-1', patient())).rejects.toMatchObject({
      code: 'host_unreachable',
    })
  })

  test('two machines with one note are told of, and neither is touched', async () => {
    const vm = await made()
    opened.world.computer('hv1.test').vms.push({ ...vm, id: randomUUID(), name: 'copy of webafs20' })

    const removing = opened.hypervisor.remove('m-1', patient())

    await expect(removing).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    await expect(removing).rejects.toThrow('copy of webafs20 on hv1')
    expect(vm.state).toBe('Running')
  })

  test('a machine that others made is known by its own id, and can be steered', async () => {
    const foreign = aVm('accounting', 'D:\\Other')
    opened.world.computer('hv2.test').vms.push(foreign)

    await opened.hypervisor.start(foreign.id, patient())

    expect((await opened.hypervisor.inventory(patient())).machines).toMatchObject([
      { ref: foreign.id, name: 'accounting', host: 'hv2', power: 'running' },
    ])
  })

  test('a machine that is stopped behind our back is told of', async () => {
    const vm = await made()
    const stop = new AbortController()
    const heard = opened.hypervisor.changes(stop.signal)[Symbol.asyncIterator]()
    const next = heard.next()
    await expect.poll(() => opened.running()).toBe(2)
    // Both have had their first look by then.
    await opened.hypervisor.inventory(patient())

    vm.state = 'Off'

    expect(await next).toEqual({ done: false, value: 'm-1' })
    stop.abort(new Error('nobody follows any more'))
  })

  test.each<[string, PsError, object]>([
    [
      'no rights',
      new PsError('AccessDenied,Microsoft.HyperV', 'Zugriff verweigert', 'PermissionDenied'),
      { transient: false },
    ],
    [
      'a locked file',
      new PsError('OperationFailed,X', 'in use', 'NotSpecified', 0x80070020),
      { transient: true },
    ],
    ['another state', new PsError('InvalidState,X', 'state', 'InvalidOperation'), { transient: true }],
    [
      'no memory',
      new PsError('OperationFailed,X', 'memory', 'NotSpecified', 0x800705aa),
      { transient: false },
    ],
    ['an unknown parameter', new PsError('NamedParameterNotFound,X', 'no'), { transient: false }],
    ['a service that is down', new PsError('X', 'RPC', 'NotSpecified', 0x800706ba), { transient: true }],
  ])('%s is refused, and it says whether waiting helps', async (_what, error, meaning) => {
    const vm = await made()
    vm.state = 'Off'
    opened.windows.trouble = ({ script }) => (script === 'start' ? error : undefined)

    const starting = opened.hypervisor.start('m-1', patient())

    await expect(starting).rejects.toMatchObject({ code: 'hypervisor_refused', ...meaning })
    await expect(starting).rejects.toThrow(/^hv1 did not start a machine: /)
  })

  test.each([
    ['nothing', { line: '' }],
    ['what is no JSON', { line: 'JACKDAW {"ok":tru\n' }],
    ['another shape', { line: 'JACKDAW {"ok":true,"data":[{"id":7}]}\n' }],
  ])('an answer of %s is that of a host that does not answer', async (_what, trouble) => {
    opened.windows.trouble = () => trouble

    const asking = opened.hypervisor.start('m-1', patient())

    await expect(asking).rejects.toMatchObject({ code: 'host_unreachable', transient: true })
  })

  function seedOf({ dvds: [path = ''] }: Vm): string {
    return readFileSync(opened.world.computer('hv1.test').files.real(path), 'latin1')
  }
})

test('no script is too long for the command line of Windows', () => {
  const lengths = Object.values(scripts).map((script) => commandOf(script).length)

  expect(Math.max(...lengths)).toBeLessThan(8000)
})

function only<T>(all: readonly T[]): T {
  const [one] = all
  if (one === undefined || all.length > 1) throw new Error(`there are ${all.length}, not one`)
  return one
}
