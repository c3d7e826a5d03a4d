import { execFile } from 'node:child_process'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { macOf } from '../../src/machines/adapter.ts'
import { component } from '../components.ts'
import { qcow2Header } from '../fakes/proxmox/farm.ts'
import type { FakeVm } from '../fakes/proxmox/machines.ts'
import { never, type ProxmoxRig, proxmoxRig } from './proxmox-rig.ts'

const qemuImg = await component('qemuImg', { install: true })
const program = qemuImg.available ? qemuImg.path : ''
const reason = qemuImg.available ? '' : ` (skipped: ${qemuImg.remedy})`

const xorriso = await component('xorriso', { install: true })
const noXorriso = xorriso.available ? '' : ` (skipped: ${xorriso.remedy})`

let rig: ProxmoxRig

beforeEach(async () => {
  rig = await proxmoxRig()
})

afterEach(() => rig.dispose())

/** The machine of a ref as the fake has it. */
function vmOf(ref: string): FakeVm {
  const found = [...rig.fake.farm.vms.values()].find(({ config }) =>
    (config.tags ?? '').split(';').some((tag) => tag.startsWith('jackdaw-ref-') && tag.endsWith(`-${ref}`)),
  )
  if (found === undefined) throw new Error(`the fake has no machine ${ref}`)
  return found
}

const names = () => [...rig.fake.farm.vms.values()].map(({ config }) => config.name).sort()

describe('a machine that is made on Proxmox VE', () => {
  test('is a linked clone with its name, size and address, and the tags of its template', async () => {
    await rig.made('m-1', { cpus: 2, memoryGb: 4 })

    const { config } = vmOf('m-1')
    expect(config).toMatchObject({ name: 'webafs20', cores: '2', sockets: '1', memory: '4096' })
    expect(config.scsi0).toContain('base-9000-disk-0/vm-100-disk-0')
    expect(config.net0).toBe(`virtio=${macOf('m-1').toUpperCase()},bridge=vmbr0,firewall=1`)
    expect(config.tags).toBe('golden;jackdaw;jackdaw-ref-100-m-1;jackdaw-os-linux')
  })

  test('has an account for each administrator, from a file that the node reads', async () => {
    const keys = ['ssh-ed25519 AAAAC3Nza alice@desk']
    await rig.made('m-1', {
      administrators: [
        { user: 'alice', keys },
        { user: 'bob', keys: [] },
      ],
    })

    const text = await readFile(join(rig.fake.folder, 'snippets', 'jackdaw-m-1.yaml'), 'utf8')
    const [first, ...rest] = text.split('\n')
    expect(vmOf('m-1').config.cicustom).toBe('user=exchange:snippets/jackdaw-m-1.yaml')
    expect(first).toBe('#cloud-config')
    expect(JSON.parse(rest.join('\n'))).toMatchObject({
      hostname: 'webafs20',
      users: ['default', { name: 'alice', ssh_authorized_keys: keys }, { name: 'bob' }],
    })
    await rig.hypervisor.remove('m-1', never)
    expect(await readdir(join(rig.fake.folder, 'snippets'))).toEqual([])
  })

  test('has the account of its owner with all keys where there is no such folder', async () => {
    const other = await rig.other({ exchange: undefined })
    const administrators = [
      { user: 'alice', keys: ['ssh-ed25519 AAAA+/x alice@desk'] },
      { user: 'bob', keys: ['ssh-ed25519 BBBB bob@desk'] },
    ]
    const spec = rig.spec('m-1', { administrators })

    for (const stage of other.stages) await other.provision(spec, stage, never)

    const { ciuser, sshkeys = '' } = vmOf('m-1').config
    expect(ciuser).toBe('alice')
    expect(decodeURIComponent(sshkeys)).toBe('ssh-ed25519 AAAA+/x alice@desk\nssh-ed25519 BBBB bob@desk')
  })

  test.each([
    ['an account that is no account', { user: 'alice; rm -rf /', keys: [] }],
    ['a key with a second line', { user: 'alice', keys: ['ssh-ed25519 AAAA x\nssh-ed25519 BBBB y'] }],
    ['a key with options', { user: 'alice', keys: ['command="id" ssh-ed25519 AAAA'] }],
  ])('is not made with %s', async (_case, administrator) => {
    const making = rig.made('m-1', { administrators: [administrator] })

    await expect(making).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    expect(names()).toEqual(['slc5'])
  })

  test('is unplugged when it is isolated and there is no network for that', async () => {
    await rig.made('m-1', { isolated: true })

    expect(vmOf('m-1').config.net0).toContain('link_down=1')
    expect(await rig.hypervisor.status('m-1', never)).toMatchObject({ power: 'running' })
  })

  test('boots from its empty disk first, then from the disc or the network', async () => {
    await rig.made('m-1', { blank: { diskGb: 20, disc: 'debian' } })
    await rig.made('m-2', { os: 'windows', blank: { diskGb: 20, disc: null } })

    expect(vmOf('m-1').config).toMatchObject({
      boot: 'order=scsi0;ide2',
      ide2: 'local:iso/debian-13.iso,media=cdrom',
      scsi0: 'ceph:vm-100-disk-0,size=20G',
    })
    expect(vmOf('m-2').config).toMatchObject({ boot: 'order=sata0;net0', ostype: 'win11' })
    expect(await rig.hypervisor.status('m-2', never)).toMatchObject({ power: 'running' })
  })

  test('is one of ten that are made at once, each under a number of its own', async () => {
    const refs = Array.from({ length: 10 }, (_, index) => `m-${index}`)

    await Promise.all(refs.map((ref) => rig.made(ref, { name: ref })))

    expect(names()).toEqual([...refs, 'slc5'])
    expect(rig.fake.asked.filter((call) => call.endsWith('/clone'))).toHaveLength(10)
  })

  test('is gone on with when we were cut off after it was cloned', async () => {
    rig.fake.fail(/100\/config$/, 503, 'Service Unavailable')
    const cutOff = rig.made('m-1')
    await expect(cutOff).rejects.toMatchObject({ code: 'hypervisor_unreachable', transient: true })

    await rig.made('m-1')

    expect(names()).toEqual(['slc5', 'webafs20'])
  })

  test('is not there when its making is given up while it is cloned', async () => {
    rig.fake.farm.hanging.add('qmclone')
    const giveUp = new AbortController()
    const reason = new Error('nobody waits any more')
    const making = rig.hypervisor.provision(rig.spec('m-1'), rig.hypervisor.stages[0] ?? '', giveUp.signal)
    await expect.poll(() => rig.fake.farm.tasks.size).toBe(1)

    giveUp.abort(reason)

    await expect(making).rejects.toBe(reason)
    expect(names()).toEqual(['slc5'])
  })

  test.skipIf(!xorriso.available)(`of Windows has a disc for its Setup${noXorriso}`, async () => {
    await rig.made('m-1', { os: 'windows' })

    const disc = await readFile(join(rig.fake.folder, 'template', 'iso', 'jackdaw-m-1.iso'))
    expect(vmOf('m-1').config.ide0).toBe('exchange:iso/jackdaw-m-1.iso,media=cdrom')
    expect(disc.toString('latin1')).toContain('CIDATA')
    await rig.hypervisor.remove('m-1', never)
    expect(await readdir(join(rig.fake.folder, 'template', 'iso'))).toEqual([])
  })

  test('is told nothing where its template says so', async () => {
    const other = await rig.other({ templates: { slc5: { vmid: 9000, seed: 'none' } } })

    for (const stage of other.stages) await other.provision(rig.spec('m-1'), stage, never)

    expect(vmOf('m-1').config).not.toHaveProperty('cicustom')
    expect(vmOf('m-1').config).not.toHaveProperty('ciuser')
  })

  test('shows its RDP server when it is of Windows', async () => {
    await rig.made('m-1', { os: 'windows', administrators: [] })

    expect(await rig.hypervisor.status('m-1', never)).toMatchObject({
      address: '10.1.0.100',
      rdp: { host: '10.1.0.100', port: 3389 },
    })
  })
})

describe('a machine that is set back', () => {
  test('has the disk of before its first boot, its size and its address, and nobody’s snapshots', async () => {
    await rig.made('m-1')
    await rig.hypervisor.resize('m-1', { cpus: 2, memoryGb: 2 }, never)
    await rig.hypervisor.snapshot('m-1', 'mine', never)
    const vm = vmOf('m-1')
    const { net0 } = vm.config
    expect(vm.writes).toBeGreaterThan(1)

    await rig.hypervisor.restoreClean('m-1', never)

    expect(vmOf('m-1').writes).toBe(1)
    expect([...vmOf('m-1').snapshots.keys()]).toEqual(['jackdaw-clean'])
    expect(vmOf('m-1').config).toMatchObject({ net0, cores: '2', memory: '2048', name: 'webafs20' })
  })

  test('is refused on a storage that keeps no snapshots, where it is made all the same', async () => {
    const template = rig.fake.farm.vms.get(9000)
    Object.assign(template?.config ?? {}, {
      scsi0: 'thick:base-9000-disk-0,size=8G',
      ide2: 'none,media=cdrom',
    })
    await rig.made('m-1')

    const setting = rig.hypervisor.restoreClean('m-1', never)

    await expect(setting).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    expect(await rig.hypervisor.status('m-1', never)).toMatchObject({ power: 'running' })
  })
})

describe('snapshots', () => {
  test('keep names that Proxmox VE does not take, and are not shown the clean copy', async () => {
    await rig.made('m-1')

    for (const name of ['1.0', '1_0', 'a'.repeat(32)]) await rig.hypervisor.snapshot('m-1', name, never)
    await rig.hypervisor.revert('m-1', '1_0', never)

    const { snapshots } = await rig.hypervisor.figures('m-1', never)
    expect(snapshots.map(({ name }) => name)).toEqual(['1.0', '1_0', 'a'.repeat(32)])
  })

  test('are not taken of a saved machine, which is locked', async () => {
    await rig.made('m-1')
    await rig.hypervisor.save('m-1', never)

    const taking = rig.hypervisor.snapshot('m-1', 'mine', never)

    await expect(taking).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
  })
})

describe('the library', () => {
  async function captured(): Promise<void> {
    await rig.made('m-1')
    await rig.hypervisor.powerOff('m-1', never)
    await rig.hypervisor.capture('m-1', 'i-1', never)
  }

  test('keeps a removed image for the machines that stand on it, and lets it go with the last', async () => {
    await captured()
    await rig.made('m-2', { image: 'i-1', name: 'second' })
    await rig.hypervisor.remove('m-1', never)
    await rig.hypervisor.removeImage('i-1', never)
    expect(names()).toEqual(['jackdaw-image-i-1', 'second', 'slc5'])

    await rig.hypervisor.remove('m-2', never)

    expect(names()).toEqual(['slc5'])
  })

  test.skipIf(!xorriso.available)(
    `leaves what one machine was told by out of others${noXorriso}`,
    async () => {
      await rig.made('m-1', { os: 'windows' })
      await rig.hypervisor.powerOff('m-1', never)
      await rig.hypervisor.capture('m-1', 'i-1', never)

      await rig.made('m-2', { os: 'windows', image: 'i-1' })
      await rig.made('m-3', { os: 'linux', image: 'i-1' })

      expect(vmOf('m-2').config.ide0).toBe('exchange:iso/jackdaw-m-2.iso,media=cdrom')
      expect(vmOf('m-3').config).not.toHaveProperty('ide0')
      expect(vmOf('m-3').config.cicustom).toBe('user=exchange:snippets/jackdaw-m-3.yaml')
    },
  )

  test('leaves nothing behind of an export but its file', async () => {
    await captured()
    const before = names()

    await rig.hypervisor.exportImage('i-1', join(rig.fake.folder, 'out.qcow2'), never)

    expect(names()).toEqual(before)
    expect((await stat(join(rig.fake.folder, 'out.qcow2'))).size).toBeGreaterThan(0)
    expect(await readdir(join(rig.fake.folder, 'images'))).toEqual([])
  })

  test.each([
    ['stands on another file', (header: Buffer) => header.writeBigUInt64BE(512n, 8)],
    ['has its data in another file', (header: Buffer) => header.writeBigUInt64BE(4n, 72)],
    ['is marked as damaged', (header: Buffer) => header.writeBigUInt64BE(2n, 72)],
    ['is of an older version', (header: Buffer) => header.writeUInt32BE(1, 4)],
  ])('takes in no disk that %s', async (_case, spoil) => {
    const file = join(rig.fake.folder, 'in.qcow2')
    const header = qcow2Header()
    spoil(header)
    await writeFile(file, header)

    const taking = rig.hypervisor.importImage(file, 'i-1', never)

    await expect(taking).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    expect(names()).toEqual(['slc5'])
  })

  test.skipIf(!qemuImg.available).each(['vhd', 'vhdx'])(
    `gives and takes disks as .%s by qemu-img${reason}`,
    async (ending) => {
      const [out, disk] = [`out.${ending}`, 'disk.qcow2'].map((name) => join(rig.fake.folder, name))
      await promisify(execFile)(program, ['create', '-q', '-f', 'qcow2', disk ?? '', '4M'])
      rig.fake.farm.disk = await readFile(disk ?? '')
      await captured()

      await rig.hypervisor.exportImage('i-1', out ?? '', never)
      await rig.hypervisor.importImage(out ?? '', 'i-2', never)

      const { stdout } = await promisify(execFile)(program, ['info', '--output=json', out ?? ''])
      expect(JSON.parse(stdout)).toMatchObject({ format: ending === 'vhd' ? 'vpc' : 'vhdx' })
      expect((await rig.hypervisor.images(never)).map(({ ref }) => ref)).toEqual(['i-1', 'i-2'])
      expect(await readdir(join(rig.fake.folder, 'import'))).toEqual([])
    },
  )

  test('says which endings there are', async () => {
    const taking = rig.hypervisor.importImage('/tmp/disk.vmdk', 'i-1', never)

    await expect(taking).rejects.toThrow('A disk file ends in .qcow2, .vhd or .vhdx.')
  })

  test('says what is missing for export where no folder is shared', async () => {
    await captured()
    const other = await rig.other({ exchange: undefined })

    const exporting = other.exportImage('i-1', '/tmp/out.qcow2', never)

    await expect(exporting).rejects.toThrow(
      'Name a storage of files that this service sees too as exchange of pve',
    )
  })
})

describe('moving', () => {
  test('tells how far it is, from the log of its task', async () => {
    await rig.made('m-1')
    const shares: number[] = []

    await rig.hypervisor.migrate('m-1', 'pve2', never, (share) => shares.push(share))

    expect(shares).toEqual([0.25, 0.75])
  })

  test('waits for HA, whose task is over before the machine has moved', async () => {
    await rig.made('m-1')
    vmOf('m-1').ha = 'started'

    await rig.hypervisor.migrate('m-1', 'pve2', never)

    expect(await rig.hypervisor.status('m-1', never)).toMatchObject({
      host: 'pve2',
      providerState: 'running (HA: started)',
    })
  })

  test('a running machine stays whose disks are on one node alone, and it says so', async () => {
    await rig.made('m-1')
    const vm = vmOf('m-1')
    vm.config.scsi0 = 'local-lvm:vm-100-disk-0,size=8G'

    const passage = await rig.hypervisor.passage('m-1', 'pve2', never)
    const moving = rig.hypervisor.migrate('m-1', 'pve2', never)

    expect(passage.how).toBe('none')
    expect('why' in passage ? passage.why : '').toContain('local-lvm:vm-100-disk-0')
    await expect(moving).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
  })

  test('a machine stays that was shown processors which the other node has not', async () => {
    await rig.made('m-1')
    vmOf('m-1').config.cpu = 'host'
    rig.fake.farm.nodes.set('pve2', { isUp: true, cpu: 'Intel Xeon Gold 6338' })

    const passage = await rig.hypervisor.passage('m-1', 'pve2', never)

    expect(passage.how).toBe('none')
    expect('why' in passage ? passage.why : '').toContain('Intel Xeon Gold 6338')
  })

  test('a saved machine that cannot move after all is saved again where it was', async () => {
    await rig.made('m-1')
    await rig.hypervisor.save('m-1', never)
    rig.fake.farm.failing.push({ type: 'qmigrate', exit: 'migration aborted' })

    const moving = rig.hypervisor.migrate('m-1', 'pve2', never)

    await expect(moving).rejects.toMatchObject({ code: 'hypervisor_refused' })
    expect(await rig.hypervisor.status('m-1', never)).toMatchObject({ power: 'saved', host: 'pve1' })
  })
})

describe('a machine that HA looks after', () => {
  test('is stopped and started once HA has done it, not when it was told', async () => {
    await rig.made('m-1')
    vmOf('m-1').ha = 'started'

    await rig.hypervisor.powerOff('m-1', never)
    const stopped = vmOf('m-1').qmp
    await rig.hypervisor.start('m-1', never)

    expect(stopped).toBeUndefined()
    expect(vmOf('m-1').qmp).toBe('running')
  })

  test('is not saved, and goes on', async () => {
    await rig.made('m-1')
    vmOf('m-1').ha = 'started'

    const saving = rig.hypervisor.save('m-1', never)

    await expect(saving).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    expect(vmOf('m-1').qmp).toBe('running')
  })
})

describe('what is told of machines', () => {
  test('the figures are those of the node, and what does not answer is a problem in words', async () => {
    await rig.made('m-1', { memoryGb: 2 })
    rig.fake.fail(/100\/snapshot$/, 500, 'got timeout')

    const figures = await rig.hypervisor.figures('m-1', never)

    expect(figures).toMatchObject({
      cpuLoad: 0.25,
      memoryUsedGb: 1,
      heartbeat: 'ok',
      disks: [{ name: 'scsi0', sizeGb: 8, readBytes: 4096, writtenBytes: 8192 }],
      networks: [{ name: 'net0', mac: macOf('m-1'), receivedBytes: 1234, sentBytes: 567 }],
      thumbnail: null,
      problems: [expect.stringContaining('snapshots: pve refuses: got timeout.')],
    })
  })

  const byHand = (name: string, uuid: string): FakeVm => {
    const smbios1 = `uuid=${uuid}-0000-4000-8000-000000000000`
    return { ...vmOf('m-1'), vmid: 500, config: { ...vmOf('m-1').config, name, smbios1 } }
  }

  test('machines that are not ours are listed and can be steered, templates and images are not', async () => {
    const { farm } = rig.fake
    await rig.made('m-1')
    farm.vms.set(500, byHand('copied-by-hand', 'ab12cd34'))
    farm.vms.set(501, { ...vmOf('m-1'), vmid: 501, config: { name: 'jackdaw-making-export-i-1' } })

    const { machines } = await rig.hypervisor.inventory(never)
    await rig.hypervisor.powerOff('vmid-500-ab12cd34', never)
    await rig.hypervisor.resize('vmid-500-ab12cd34', { cpus: 2, memoryGb: 2 }, never)

    expect(machines.map(({ ref }) => ref)).toEqual(['m-1', 'vmid-500-ab12cd34'])
    expect(machines[1]).toMatchObject({ name: 'copied-by-hand', size: { cpus: 1, memoryGb: 1 } })
    expect(farm.vms.get(500)).toMatchObject({ qmp: undefined, config: { cores: '2' } })
    expect(vmOf('m-1').qmp).toBe('running')
  })

  test('a number that was given to another machine does not lead to that', async () => {
    const { farm } = rig.fake
    await rig.made('m-1')
    farm.vms.set(500, byHand('the-former', 'ab12cd34'))
    await rig.hypervisor.inventory(never)
    farm.vms.set(500, byHand('the-next', 'ef56ab78'))

    const stopping = rig.hypervisor.powerOff('vmid-500-ab12cd34', never)

    await expect(stopping).rejects.toMatchObject({ code: 'machine_missing' })
    expect(farm.vms.get(500)?.qmp).toBe('running')
    const { machines } = await rig.hypervisor.inventory(never)
    expect(machines.map(({ ref }) => ref)).toEqual(['m-1', 'vmid-500-ef56ab78'])
  })

  test('hosts say which templates they can make machines from, and their processors', async () => {
    const template = rig.fake.farm.vms.get(9000)
    const { hosts: shared } = await rig.hypervisor.inventory(never)
    Object.assign(template?.config ?? {}, { scsi0: 'local-lvm:base-9000-disk-0,size=8G' })

    const { hosts: local } = await rig.hypervisor.inventory(never)

    expect(shared).toMatchObject([
      {
        name: 'pve1',
        templates: ['slc5'],
        cpu: 'AMD EPYC 7543',
        version: 'Proxmox VE 9.0.6',
        cpus: 16,
        memoryGb: 64,
      },
      { name: 'pve2', templates: ['slc5'] },
    ])
    expect(local.map(({ templates }) => templates)).toEqual([['slc5'], []])
  })

  test('a machine that stops is heard of when its node tells the others', async () => {
    await rig.made('m-1')
    rig.fake.broadcast()
    const stop = new AbortController()
    const heard = rig.hypervisor.changes(stop.signal)[Symbol.asyncIterator]()
    const next = heard.next()
    const looks = rig.fake.asked.filter((call) => call === 'GET /cluster/tasks').length
    await expect
      .poll(() => rig.fake.asked.filter((call) => call === 'GET /cluster/tasks').length)
      .toBeGreaterThan(looks + 1)

    vmOf('m-1').qmp = undefined
    rig.fake.broadcast()

    expect(await next).toEqual({ done: false, value: 'm-1' })
    stop.abort(new Error('enough'))
    await expect(heard.next()).rejects.toThrow('enough')
  })

  test('what is done by hand is heard of by its task, before that', async () => {
    await rig.made('m-1')
    const stop = new AbortController()
    const heard = rig.hypervisor.changes(stop.signal)[Symbol.asyncIterator]()
    const next = heard.next()
    const looks = rig.fake.asked.filter((call) => call === 'GET /cluster/tasks').length
    await expect
      .poll(() => rig.fake.asked.filter((call) => call === 'GET /cluster/tasks').length)
      .toBeGreaterThan(looks + 1)

    await rig.hypervisor.powerOff('m-1', never)

    expect(await next).toEqual({ done: false, value: 'm-1' })
    stop.abort(new Error('enough'))
    await expect(heard.next()).rejects.toThrow('enough')
  })
})
