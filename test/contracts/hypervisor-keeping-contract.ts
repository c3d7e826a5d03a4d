import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Hypervisor, MachineSpec } from '../../src/hypervisors/hypervisor.ts'
import { macOf } from '../../src/machines/adapter.ts'
import type { HypervisorUnderTest } from './hypervisor-contract.ts'

const patient = () => AbortSignal.timeout(120_000)

type Call = (hypervisor: Hypervisor, ref: string, signal: AbortSignal) => Promise<unknown>

/** Each call on one machine that has to be there. */
const calls: [string, Call][] = [
  ['snapshot', (hypervisor, ref, signal) => hypervisor.snapshot(ref, 'before', signal)],
  ['revert', (hypervisor, ref, signal) => hypervisor.revert(ref, 'before', signal)],
  ['forget', (hypervisor, ref, signal) => hypervisor.forget(ref, 'before', signal)],
  ['capture', (hypervisor, ref, signal) => hypervisor.capture(ref, 'i-1', signal)],
  ['passage', (hypervisor, ref, signal) => hypervisor.passage(ref, 'anywhere', signal)],
  ['migrate', (hypervisor, ref, signal) => hypervisor.migrate(ref, 'anywhere', signal)],
  ['figures', (hypervisor, ref, signal) => hypervisor.figures(ref, signal)],
  ['console', (hypervisor, ref, signal) => hypervisor.console(ref, 'serial', signal)],
]

/** What every driver promises of snapshots, of its library, of moving and of what it shows. */
export function keepingContract(name: string, open: () => Promise<HypervisorUnderTest>): void {
  describe(`${name} keeps what is given to it:`, () => {
    let opened: HypervisorUnderTest
    let hypervisor: Hypervisor

    beforeEach(async () => {
      opened = await open()
      hypervisor = opened.hypervisor
    })

    afterEach(() => opened.dispose())

    async function made(ref: string, changes: Partial<MachineSpec> = {}): Promise<void> {
      const { host, template = 'slc5' } = opened
      const size = { cpus: 1, memoryGb: 1 }
      const mac = macOf(ref)
      const spec = { ref, name: ref, host, template, os: 'linux', administrators: [], mac, ...size } as const
      for (const stage of hypervisor.stages) {
        await hypervisor.provision({ ...spec, ...changes }, stage, patient())
      }
    }

    const power = async (ref: string) => (await hypervisor.status(ref, patient())).power
    const images = async () => (await hypervisor.images(patient())).map(({ ref }) => ref)
    const snapshots = async (ref: string) => (await hypervisor.figures(ref, patient())).snapshots

    async function captured(image: string): Promise<void> {
      await made('m-1')
      await hypervisor.powerOff('m-1', patient())
      await hypervisor.capture('m-1', image, patient())
    }

    test.each(calls)('%s on a machine that is not there says that it is missing', async (_name, call) => {
      const answer = call(hypervisor, 'm-404', patient())

      await expect(answer).rejects.toMatchObject({ code: 'machine_missing', transient: false })
    })

    test.each(calls)('%s with an aborted signal rejects with the reason', async (_name, call) => {
      const reason = new Error('nobody waits any more')

      const answer = call(hypervisor, 'm-404', AbortSignal.abort(reason))

      await expect(answer).rejects.toBe(reason)
    })

    test.each([
      ['running', 'stopped', 'powerOff'],
      ['stopped', 'running', 'start'],
    ] as const)('reverting goes back to %s after it was %s', async (then, since, verb) => {
      await made('m-1')
      if (then === 'stopped') await hypervisor.powerOff('m-1', patient())
      await hypervisor.snapshot('m-1', 'before', patient())
      await hypervisor.snapshot('m-1', 'before', patient())
      await hypervisor[verb]('m-1', patient())
      expect(await power('m-1')).toBe(since)

      await hypervisor.revert('m-1', 'before', patient())

      expect(await power('m-1')).toBe(then)
      const kept = await snapshots('m-1')
      expect(kept).toMatchObject([{ name: 'before' }])
      expect(kept[0]?.takenAt).toMatch(/^\d{4}-.*Z$/)
    })

    test('a snapshot that is not there cannot be gone back to, and can be forgotten', async () => {
      await made('m-1')

      const reverting = hypervisor.revert('m-1', 'never', patient())

      await expect(reverting).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
      await expect(hypervisor.forget('m-1', 'never', patient())).resolves.toBeUndefined()
      expect(await power('m-1')).toBe('running')
    })

    test('a forgotten snapshot is listed no more, and the others are', async () => {
      await made('m-1')
      await hypervisor.snapshot('m-1', 'first', patient())
      await hypervisor.snapshot('m-1', 'second', patient())

      await hypervisor.forget('m-1', 'first', patient())

      expect(await snapshots('m-1')).toMatchObject([{ name: 'second' }])
    })

    test('a stopped machine becomes an image once, and stays as it is', async () => {
      await captured('i-1')
      await hypervisor.capture('m-1', 'i-1', patient())

      expect(await images()).toEqual(['i-1'])
      expect(await power('m-1')).toBe('stopped')
      const [image] = await hypervisor.images(patient())
      expect(image?.sizeGb).toBeGreaterThan(0)
    })

    test('a running machine is not captured', async () => {
      await made('m-1')

      const capturing = hypervisor.capture('m-1', 'i-1', patient())

      await expect(capturing).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
      expect(await images()).toEqual([])
    })

    test('machines made from an image run, also once the image and its machine are gone', async () => {
      await captured('i-1')
      await made('m-2', { image: 'i-1' })
      await hypervisor.remove('m-1', patient())
      await hypervisor.removeImage('i-1', patient())
      await hypervisor.removeImage('i-1', patient())

      await hypervisor.powerOff('m-2', patient())
      await hypervisor.start('m-2', patient())

      expect(await power('m-2')).toBe('running')
      expect(await images()).toEqual([])
    })

    test('a machine with an image beside its own disk has two disks', async () => {
      await captured('i-1')

      await made('m-2', { data: 'i-1', isolated: true })

      expect((await hypervisor.figures('m-2', patient())).disks).toHaveLength(2)
    })

    test('a machine is not made from an image that is not there', async () => {
      const making = made('m-2', { image: 'i-404' })

      await expect(making).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
      expect(await power('m-2')).not.toBe('running')
    })

    test('an image goes out to a file and comes in again, and machines made from it run', async () => {
      const file = join(opened.folder, 'webafs20.qcow2')
      await captured('i-1')

      await hypervisor.exportImage('i-1', file, patient())
      await hypervisor.importImage(file, 'i-2', patient())

      expect((await images()).sort()).toEqual(['i-1', 'i-2'])
      expect((await stat(file)).size).toBeGreaterThan(0)
      // It came as a file, so that no template says what is on it.
      await made('m-2', { image: 'i-2', template: 'brought-in', os: 'other' })
      expect(await power('m-2')).toBe('running')
    })

    test('a file that is there is not overwritten', async () => {
      const file = join(opened.folder, 'webafs20.qcow2')
      await captured('i-1')
      await hypervisor.exportImage('i-1', file, patient())

      const again = hypervisor.exportImage('i-1', file, patient())

      await expect(again).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    })

    test.each([
      ['a file that is not there', 'nothing.qcow2'],
      ['a file that is no disk', 'readme.txt'],
    ])('%s is not taken into the library', async (_case, file) => {
      const taking = hypervisor.importImage(join(opened.folder, file), 'i-1', patient())

      await expect(taking).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
      expect(await images()).toEqual([])
    })

    test('a machine that runs has figures of itself', async () => {
      await made('m-1')

      const figures = await hypervisor.figures('m-1', patient())

      expect(figures.uptimeSeconds).toBeGreaterThanOrEqual(0)
      expect(figures.disks.length).toBeGreaterThan(0)
      expect(figures.problems).toEqual([])
    })

    test('a machine that is stopped has no uptime', async () => {
      await made('m-1')
      await hypervisor.powerOff('m-1', patient())

      expect((await hypervisor.figures('m-1', patient())).uptimeSeconds).toBeNull()
    })

    test('there is no way to a host that is not known, and the machine stays', async () => {
      await made('m-1')

      const passage = await hypervisor.passage('m-1', 'no-such-host', patient())
      const moving = hypervisor.migrate('m-1', 'no-such-host', patient())

      expect(passage.how).toBe('none')
      expect('why' in passage ? passage.why : '').toContain('no-such-host')
      await expect(moving).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
      expect(await hypervisor.status('m-1', patient())).toMatchObject({ host: opened.host, power: 'running' })
    })

    test.each(['running', 'stopped', 'saved'] as const)(
      'a machine that is %s is so on the host that it was moved to',
      async (before) => {
        const target = opened.otherHost ?? opened.host
        await made('m-1')
        if (before === 'stopped') await hypervisor.powerOff('m-1', patient())
        if (before === 'saved') await hypervisor.save('m-1', patient())

        await hypervisor.migrate('m-1', target, patient())
        await hypervisor.migrate('m-1', target, patient())

        expect(await hypervisor.status('m-1', patient())).toMatchObject({ host: target, power: before })
      },
    )
  })
}
