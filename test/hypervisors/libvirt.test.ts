import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Hypervisor, MachineSpec } from '../../src/hypervisors/hypervisor.ts'
import { uuidOf } from '../../src/hypervisors/libvirt/naming.ts'
import { macOf } from '../../src/machines/adapter.ts'
import { component } from '../components.ts'
import { type Lab, labComponents, openLab, virshOf } from './libvirt-lab.ts'

const run = promisify(execFile)
const found = await labComponents()
const remedy = found.available ? '' : ` (missing: ${found.remedy})`
const patient = () => AbortSignal.timeout(60_000)
const patience = { timeout: 20_000, interval: 50 }

describe.runIf(found.available)(`libvirt beside QEMU${remedy}`, () => {
  let lab: Lab
  let hypervisor: Hypervisor

  beforeAll(async () => {
    lab = await openLab(2)
    hypervisor = lab.open()
  })
  afterEach(() => lab.clear())
  afterAll(() => lab.close())

  function aSpec(changes: Partial<MachineSpec> = {}): MachineSpec {
    const ref = changes.ref ?? 'vm-1'
    const what = { name: 'webafs20', host: 'hosta', template: 'slc5', os: 'linux', cpus: 1 } as const
    return { ref, ...what, memoryGb: 0.25, mac: macOf(ref), administrators: [], ...changes }
  }

  async function make(changes: Partial<MachineSpec> = {}, by = hypervisor): Promise<string> {
    const spec = aSpec(changes)
    for (const stage of by.stages) await by.provision(spec, stage, patient())
    return spec.ref
  }

  const virsh = (...words: string[]) => virshOf(lab.daemons[0]?.uri ?? '', words)
  const xmlOf = (ref: string) => virsh('dumpxml', uuidOf(ref), '--inactive')
  const status = (ref: string) => hypervisor.status(ref, patient())

  describe('a machine', () => {
    test('has the adapter that was registered for it, and says what it is in its name and its metadata', async () => {
      const owner = { user: `o'neil "<&>" é`, keys: ['ssh-ed25519 AAAA alice@home'] }
      await make({ os: 'other', administrators: [owner] })

      const xml = await xmlOf('vm-1')

      expect(xml).toContain(`<mac address='${macOf('vm-1')}'/>`)
      expect(xml).toContain('<name>webafs20.vm-1</name>')
      // What is kept can be read again, or it would be taken for somebody else's.
      expect(await status('vm-1')).toMatchObject({ address: 'webafs20.lab.example' })
    })

    test('is told its name and its people by a disc for cloud-init, and a group of them is not in the way', async () => {
      const administrators = [
        { user: 'alice', keys: ['ssh-ed25519 AAAAC3Nz alice@home'] },
        { user: 'bob', keys: [] },
      ]
      await make({ administrators })

      const seed = await discOf(lab, 'vm-1')

      expect(seed.label).toContain("'CIDATA'")
      expect(JSON.parse(await seed.read('meta-data'))).toEqual({
        'instance-id': 'vm-1',
        'local-hostname': 'webafs20',
      })
      const text = await seed.read('user-data')
      expect(text.startsWith('#cloud-config\n')).toBe(true)
      expect(JSON.parse(text.slice('#cloud-config'.length))).toMatchObject({
        hostname: 'webafs20',
        users: [
          'default',
          {
            name: 'alice',
            sudo: 'ALL=(ALL) NOPASSWD:ALL',
            lock_passwd: true,
            ssh_authorized_keys: ['ssh-ed25519 AAAAC3Nz alice@home'],
          },
          { name: 'bob' },
        ],
      })
      // Somebody else reads it too.
      const cloudInit = await component('cloudInit', { install: true })
      if (!cloudInit.available) return
      const { stdout } = await run(cloudInit.path, [
        'schema',
        '--config-file',
        join(lab.exchange, 'user-data'),
      ])
      expect(stdout).toContain('Valid')
    })

    test.each([
      ['an account that no guest can have', { user: 'alice\nroot', keys: [] }],
      ['a key that is none', { user: 'alice', keys: ['alice:x:0:0'] }],
    ])('with %s is refused', async (_case, administrator) => {
      const making = make({ administrators: [administrator] })

      await expect(making).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    })

    test('of Windows is told by an answer file, and of nobody whose name could close something in it', async () => {
      const windows = lab.open({ templates: { w2022: lab.rule.templates['slc5'] } })
      const administrators = [{ user: 'alice', keys: [] }]
      await make({ template: 'w2022', os: 'windows', administrators }, windows)

      const seed = await discOf(lab, 'vm-1')
      const text = await seed.read('Unattend.xml')

      expect(text).toContain('<ComputerName>webafs20</ComputerName>')
      expect(JSON.parse(await seed.read('administrators.json'))).toEqual({
        administrators: [{ user: 'alice', keys: [] }],
      })
      const lint = await component('xmllint', { install: true })
      if (lint.available) await run(lint.path, ['--noout', await written(lab, text)])
      const strange = [{ user: '<alice> & co', keys: [] }]
      const making = make({ ref: 'vm-2', template: 'w2022', os: 'windows', administrators: strange }, windows)
      await expect(making).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    })

    test('with an empty disk boots from its disc, and with none from the network', async () => {
      const disc = join(lab.folder, 'tiny.qcow2')
      const with_ = lab.open({ discs: { netinst: disc } })
      await make({ ref: 'vm-disc', blank: { diskGb: 1, disc: 'netinst' } }, with_)
      await make({ ref: 'vm-net', blank: { diskGb: 1, disc: null } }, with_)

      const [fromDisc, fromNet] = [await xmlOf('vm-disc'), await xmlOf('vm-net')]

      expect(fromDisc).toMatch(new RegExp(`<source file='${disc}'.*?<boot order='2'/>`, 's'))
      expect(fromNet).toMatch(/<interface.*?<boot order='2'\/>.*?<\/interface>/s)
      for (const xml of [fromDisc, fromNet]) {
        expect(xml).toMatch(/device='disk'>.*?disk\.qcow2'.*?<boot order='1'\/>/s)
      }
      const unknown = make({ ref: 'vm-2', blank: { diskGb: 1, disc: 'nothing' } }, with_)
      await expect(unknown).rejects.toMatchObject({ code: 'hypervisor_refused' })
    })

    test('that is to be by itself is on the network for that, or not plugged in', async () => {
      await make({ ref: 'vm-1', isolated: true })
      const first = aSpec({ ref: 'vm-2', isolated: true })
      await lab.open({ isolatedNetwork: 'apart' }).provision(first, hypervisor.stages[0] ?? '', patient())

      expect(await xmlOf('vm-1')).toContain(`<link state='down'/>`)
      expect(await xmlOf('vm-2')).toContain(`<source network='apart'/>`)
    })

    test('is not made where there is no place left', async () => {
      const [host] = lab.rule.hosts
      const full = lab.open({ hosts: [{ ...host, slots: 1 }] })
      await make({ ref: 'vm-1' }, full)

      const making = make({ ref: 'vm-2' }, full)

      await expect(making).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
      await expect(making).rejects.toThrow('holds 1 machines, and has room for 1')
    })

    test('whose guest hears nothing goes on, and that is said', async () => {
      const deaf = lab.open({ shutdown: { months: 0, days: 0, millis: 900 } })
      await make({ blank: { diskGb: 1, disc: null } })

      const asking = deaf.shutdown('vm-1', patient())

      await expect(asking).rejects.toMatchObject({ code: 'guest_ignored', transient: true })
      expect((await status('vm-1')).power).toBe('running')
    })

    test('is made once, however many make it at once, and ten of them at once are ten', async () => {
      const refs = Array.from({ length: 10 }, (_, index) => `vm-${index}`)

      await Promise.all(refs.map((ref) => make({ ref, name: `batch-${ref}` })))

      const { machines } = await hypervisor.inventory(patient())
      expect(machines.map(({ ref }) => ref).sort()).toEqual(refs)
      expect(machines.every(({ power }) => power === 'running')).toBe(true)
    })

    test('that others made is listed, obeys, and is not taken apart', async () => {
      await make()
      const uuid = 'b0a3b0b5-8d35-4f3d-9c6a-0f5b1de3c9a7'
      const file = join(lab.exchange, 'foreign.xml')
      const own = (await xmlOf('vm-1')).replace(/<metadata>.*?<\/metadata>/s, '')
      await writeFile(
        file,
        own
          .replace(/<uuid>.*?<\/uuid>/, `<uuid>${uuid}</uuid>`)
          .replace('<name>webafs20.vm-1<', '<name>theirs<')
          .replace(/<disk .*<\/disk>/s, ''),
      )
      await virsh('define', file)

      await hypervisor.start(uuid, patient())

      const { machines } = await hypervisor.inventory(patient())
      expect(machines).toContainEqual(expect.objectContaining({ ref: uuid, power: 'running', address: null }))
      const taking = hypervisor.restoreClean(uuid, patient())
      await expect(taking).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
      await hypervisor.remove(uuid, patient())
      expect((await status(uuid)).power).toBe('missing')
    })

    test('that is being saved when nobody waits any more is as it was or as it would be', async () => {
      await make()
      const controller = new AbortController()

      const saving = hypervisor.save('vm-1', controller.signal)
      setTimeout(() => controller.abort(new Error('enough')), 120)

      await expect(saving).rejects.toThrow('enough')
      await vi.waitFor(
        async () => expect(['running', 'saved']).toContain((await status('vm-1')).power),
        patience,
      )
      await hypervisor.start('vm-1', patient())
      expect((await status('vm-1')).power).toBe('running')
    })
  })

  describe('what is seen of a machine', () => {
    test('is told at once when it dies, and in libvirt’s words', async () => {
      await make()
      const stop = new AbortController()
      const told: string[] = []
      const following = (async () => {
        for await (const ref of hypervisor.changes(stop.signal)) told.push(ref)
      })()
      // Until it listens, nothing is told.
      await vi.waitFor(async () => {
        await virsh('suspend', uuidOf('vm-1'))
        await virsh('resume', uuidOf('vm-1'))
        expect(told).toContain('vm-1')
      }, patience)
      told.length = 0

      await run('pkill', ['-KILL', '-f', `guest=webafs20.vm-1,.*${uuidOf('vm-1')}`])

      await vi.waitFor(() => expect(told).toContain('vm-1'), patience)
      expect(await status('vm-1')).toMatchObject({ power: 'stopped', providerState: 'shut off (crashed)' })
      stop.abort(new Error('enough'))
      await expect(following).rejects.toThrow('enough')
    })

    test('is what it does, with a small picture of its screen', async () => {
      await make()

      const figures = await hypervisor.figures('vm-1', patient())

      expect(figures).toMatchObject({ heartbeat: 'none', problems: [], snapshots: [] })
      expect(figures.disks).toEqual([{ name: 'vda', sizeGb: 0.001, readBytes: 512, writtenBytes: 0 }])
      expect(figures.networks).toMatchObject([{ name: 'user', mac: macOf('vm-1') }])
      expect(figures.memoryUsedGb).toBeGreaterThan(0)
      expect(figures.cpuLoad).toBeGreaterThanOrEqual(0)
      const picture = Buffer.from(figures.thumbnail?.body ?? [])
      expect(picture.subarray(1, 4).toString()).toBe('PNG')
      expect(picture.readUInt32BE(16)).toBe(320)
    })

    test('comes over its serial line, which echoes, and is another’s once they open it', async () => {
      await make()
      const line = await hypervisor.console('vm-1', 'serial', patient())
      const heard = listenTo(line)

      line.write('are you there?')

      await vi.waitFor(() => expect(heard()).toContain('are you there?'), patience)
      // What virsh and its helpers have to say is not the machine's.
      expect(heard()).not.toMatch(/polkit|Escape/)
      const gone = once(line, 'close')
      const second = await hypervisor.console('vm-1', 'serial', patient())
      const alsoHeard = listenTo(second)
      await vi.waitFor(() => {
        second.write('!')
        expect(alsoHeard()).toContain('!')
      }, patience)
      second.destroy()
      line.destroy()
      await gone
    })

    test('comes over its screen', async () => {
      await make()

      const screen = await hypervisor.console('vm-1', 'screen', patient())

      const heard = listenTo(screen)
      await vi.waitFor(() => expect(heard()).toBe('RFB 003.008\n'), patience)
      screen.destroy()
    })

    test('has no line and no screen while it is off', async () => {
      await make()
      await hypervisor.powerOff('vm-1', patient())

      for (const kind of ['screen', 'serial'] as const) {
        const opening = hypervisor.console('vm-1', kind, patient())
        await expect(opening).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
      }
    })
  })

  describe('on its way to another host, a machine', () => {
    test('goes on without a break, and how far it is gets told', async () => {
      await make()
      const line = await hypervisor.console('vm-1', 'serial', patient())
      line.destroy()
      const shares: number[] = []

      expect(await hypervisor.passage('vm-1', 'hostb', patient())).toEqual({ how: 'live' })
      await hypervisor.migrate('vm-1', 'hostb', patient(), (share) => shares.push(share))

      expect(shares.at(-1)).toBe(1)
      expect(shares).toEqual([...shares].sort((a, b) => a - b))
      // `migrated`: it was never stopped, nor booted again.
      expect(await status('vm-1')).toMatchObject({ host: 'hostb', providerState: 'running (migrated)' })
      const after = await hypervisor.console('vm-1', 'serial', patient())
      const heard = listenTo(after)
      await vi.waitFor(() => {
        after.write('?')
        expect(heard()).toContain('?')
      }, patience)
      after.destroy()
    })

    test('that nobody waits for any more runs on one of the two, and is nowhere else', async () => {
      await make()
      const controller = new AbortController()

      const moving = hypervisor.migrate('vm-1', 'hostb', controller.signal)
      setTimeout(() => controller.abort(new Error('enough')), 250)

      await expect(moving).rejects.toThrow('enough')
      const places = () =>
        Promise.all(lab.daemons.map(({ uri }) => virshOf(uri, ['list', '--all', '--name'])))
      await vi.waitFor(async () => {
        expect((await places()).sort()).toEqual(['', 'webafs20.vm-1'])
        expect((await status('vm-1')).power).toBe('running')
      }, patience)
    })

    test('with snapshots moves as a file, and has them there', async () => {
      await make()
      await hypervisor.snapshot('vm-1', 'before', patient())

      const passage = await hypervisor.passage('vm-1', 'hostb', patient())
      await hypervisor.migrate('vm-1', 'hostb', patient())

      expect(passage.how).toBe('quick')
      expect('why' in passage ? passage.why : '').toContain('snapshots')
      expect(await status('vm-1')).toMatchObject({ host: 'hostb', providerState: 'running (restored)' })
      await hypervisor.powerOff('vm-1', patient())
      await hypervisor.revert('vm-1', 'before', patient())
      expect(await status('vm-1')).toMatchObject({ host: 'hostb', power: 'running' })
      expect(await virsh('list', '--all', '--name')).toBe('')
    })

    test('that was cut off between the two is found where it runs, and stays there alone', async () => {
      await make()
      const xml = await xmlOf('vm-1')
      await hypervisor.migrate('vm-1', 'hostb', patient())
      const file = join(lab.exchange, 'left.xml')
      await writeFile(file, xml)
      await virsh('define', file)

      const fresh = lab.open()
      expect(await fresh.status('vm-1', patient())).toMatchObject({ host: 'hostb', power: 'running' })
      await fresh.migrate('vm-1', 'hostb', patient())

      expect(await virsh('list', '--all', '--name')).toBe('')
    })
  })

  describe('a disk that comes in', () => {
    test.each(['qcow2', 'vhd', 'vhdx'])(
      'as %s went out as such, and machines boot from it',
      async (ending) => {
        const file = join(lab.exchange, `webafs20.${ending}`)
        await make()
        await hypervisor.powerOff('vm-1', patient())
        await hypervisor.capture('vm-1', 'img-1', patient())

        await hypervisor.exportImage('img-1', file, patient())
        await hypervisor.importImage(file, 'img-2', patient())
        await make({ ref: 'vm-2', image: 'img-2' })

        const line = await hypervisor.console('vm-2', 'serial', patient())
        const heard = listenTo(line)
        await vi.waitFor(() => {
          line.write('.')
          expect(heard()).toContain('.')
        }, patience)
        line.destroy()
      },
    )

    test.each<[string, (file: string, secret: string) => Promise<unknown>]>([
      [
        'reads another file',
        (file, secret) => qemuImg('create', '-f', 'qcow2', '-F', 'raw', '-b', secret, file),
      ],
      [
        'keeps its data in another file',
        (file, secret) => qemuImg('create', '-f', 'qcow2', '-o', `data_file=${secret}`, file, '1M'),
      ],
      ['is called a disk and is text', (file) => writeFile(file, 'root:x:0:0\n'.repeat(1000))],
      ['is damaged', (file) => damaged(file)],
      ['is another format than its name says', (file) => qemuImg('create', '-f', 'vmdk', file, '1M')],
    ])('and %s is refused', async (_case, make) => {
      const [file, secret] = [join(lab.exchange, 'theirs.qcow2'), join(lab.exchange, 'secret')]
      await writeFile(secret, Buffer.alloc(1024 * 1024))
      await make(file, secret)

      const taking = hypervisor.importImage(file, 'img-1', patient())

      await expect(taking).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
      expect(await hypervisor.images(patient())).toEqual([])
    })

    test('is named by its whole path, never by something that might be an address', async () => {
      const taking = hypervisor.importImage('nbd:localhost:10809.qcow2', 'img-1', patient())

      await expect(taking).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    })
  })

  describe('a host that does not answer', () => {
    test('has its machines unknown, never missing, and the others go on', async () => {
      const [here] = lab.rule.hosts
      const gone = { ...here, name: 'gone', uri: `qemu+unix:///system?socket=${lab.folder}/nothing` }
      await make()
      const driver = lab.open({ hosts: [here, gone] })

      const { hosts, machines } = await driver.inventory(patient())

      expect(hosts).toMatchObject([
        { name: 'hosta', reachable: true },
        { name: 'gone', reachable: false },
      ])
      expect(machines).toMatchObject([{ ref: 'vm-1', power: 'running' }])
      expect(await driver.status('vm-1', patient())).toMatchObject({ power: 'running' })
      expect(await driver.status('vm-404', patient())).toMatchObject({ power: 'unknown' })
      const starting = driver.start('vm-404', patient())
      await expect(starting).rejects.toMatchObject({ code: 'host_unreachable', transient: true })
      const passage = await driver.passage('vm-1', 'gone', patient())
      expect(passage).toEqual({ how: 'none', why: 'Host gone does not respond.' })
    })

    test('is not waited for longer than the caller does', async () => {
      const silent = createServer(() => undefined).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const address = silent.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const [here] = lab.rule.hosts
      const driver = lab.open({ hosts: [{ ...here, uri: `qemu+tcp://127.0.0.1:${port}/system` }] })
      const controller = new AbortController()

      const asking = driver.status('vm-1', controller.signal)
      await once(silent, 'connection')
      controller.abort(new Error('enough'))

      await expect(asking).rejects.toThrow('enough')
      silent.close()
    })
  })
})

function listenTo(stream: Duplex): () => string {
  let heard = ''
  stream.on('data', (bytes: Buffer) => (heard += bytes.toString()))
  return () => heard
}

/** What is on the disc that a guest reads at its first boot. */
async function discOf(lab: Lab, ref: string) {
  const disc = join(lab.rule.folder, 'machines', ref, 'seed.iso')
  const { stderr } = await run('xorriso', ['-indev', disc, '-toc'])
  return {
    label: stderr,
    async read(name: string): Promise<string> {
      const file = join(lab.exchange, name)
      await run('xorriso', ['-osirrox', 'on', '-indev', disc, '-extract', `/${name}`, file])
      return readFile(file, 'utf8')
    },
  }
}

async function written(lab: Lab, text: string): Promise<string> {
  const file = join(lab.exchange, 'written.xml')
  await writeFile(file, text)
  return file
}

function qemuImg(...words: string[]): Promise<unknown> {
  return run('qemu-img', words)
}

/** A disk whose table of clusters points where there is nothing. */
async function damaged(file: string): Promise<void> {
  await qemuImg('create', '-f', 'qcow2', file, '1M')
  const bytes = await readFile(file)
  const table = Number(bytes.readBigUInt64BE(40))
  bytes.writeBigUInt64BE(0x8000_0000_4000_0000n, table)
  await writeFile(file, bytes)
}
