import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Outage } from '../../src/base/errors.ts'
import type { Hypervisor, MachineSpec } from '../../src/hypervisors/hypervisor.ts'
import { keepingContract } from './hypervisor-keeping-contract.ts'

export interface HypervisorUnderTest {
  hypervisor: Hypervisor
  /** A host of it with room for two machines of 2 CPUs and 2 GB. */
  host: string
  /** Another host with room for one, where there is one to move to. */
  otherHost?: string
  /** A folder that the hypervisor reads and writes. */
  folder: string
  /** A template that it has; `slc5` when nothing is said. */
  template?: string
  dispose(): Promise<void>
}

const patient = () => AbortSignal.timeout(120_000)

/** Each call on one machine that has to be there. */
const verbs: [string, (hypervisor: Hypervisor, ref: string, signal: AbortSignal) => Promise<void>][] = [
  ['start', (hypervisor, ref, signal) => hypervisor.start(ref, signal)],
  ['shutdown', (hypervisor, ref, signal) => hypervisor.shutdown(ref, signal)],
  ['powerOff', (hypervisor, ref, signal) => hypervisor.powerOff(ref, signal)],
  ['reset', (hypervisor, ref, signal) => hypervisor.reset(ref, signal)],
  ['save', (hypervisor, ref, signal) => hypervisor.save(ref, signal)],
  ['resume', (hypervisor, ref, signal) => hypervisor.resume(ref, signal)],
  ['resize', (hypervisor, ref, signal) => hypervisor.resize(ref, { cpus: 2, memoryGb: 2 }, signal)],
  ['restoreClean', (hypervisor, ref, signal) => hypervisor.restoreClean(ref, signal)],
]

/** What every driver promises: the prose of the port, as tests. */
export function hypervisorContract(name: string, open: () => Promise<HypervisorUnderTest>): void {
  keepingContract(name, open)
  describe(`${name} keeps the promises of a hypervisor:`, () => {
    let opened: HypervisorUnderTest
    let hypervisor: Hypervisor

    beforeEach(async () => {
      opened = await open()
      hypervisor = opened.hypervisor
    })

    afterEach(() => opened.dispose())

    function aSpec(changes: Partial<MachineSpec> = {}): MachineSpec {
      const size = { cpus: 1, memoryGb: 1 }
      const { host, template = 'slc5' } = opened
      return {
        ref: 'm-1',
        name: 'webafs20',
        host,
        template,
        os: 'linux',
        administrators: [],
        mac: '02:00:00:00:00:01',
        ...size,
        ...changes,
      }
    }

    async function provision(spec: MachineSpec): Promise<void> {
      for (const stage of hypervisor.stages) await hypervisor.provision(spec, stage, patient())
    }

    async function power(ref: string): Promise<string> {
      return (await hypervisor.status(ref, patient())).power
    }

    async function refs(): Promise<string[]> {
      return (await hypervisor.inventory(patient())).machines.map((machine) => machine.ref)
    }

    test('who follows its changes is let go with the reason given', async () => {
      const stop = new AbortController()
      const heard = hypervisor.changes(stop.signal)[Symbol.asyncIterator]()
      const reason = new Error('nobody follows any more')

      const next = heard.next()
      stop.abort(reason)

      await expect(next).rejects.toBe(reason)
    })

    test('it has stages, and no two alike', () => {
      const { stages } = hypervisor

      expect(stages.length).toBeGreaterThan(0)
      expect(new Set(stages).size).toBe(stages.length)
    })

    test('after the last stage the machine runs on its host and has an address', async () => {
      await provision(aSpec())

      const status = await hypervisor.status('m-1', patient())

      expect(status).toMatchObject({ ref: 'm-1', power: 'running', host: opened.host })
      expect(status.address).toEqual(expect.stringMatching(/./))
      expect(status.providerState).not.toBe('')
    })

    test('each stage carried out twice makes one machine', async () => {
      for (const stage of hypervisor.stages) {
        await hypervisor.provision(aSpec(), stage, patient())
        await hypervisor.provision(aSpec(), stage, patient())
      }

      expect(await refs()).toEqual(['m-1'])
      expect(await power('m-1')).toBe('running')
    })

    test('all stages carried out again leave a stopped machine stopped', async () => {
      await provision(aSpec())
      await hypervisor.powerOff('m-1', patient())

      await provision(aSpec())

      expect(await refs()).toEqual(['m-1'])
      expect(await power('m-1')).toBe('stopped')
    })

    test('an unknown host is refused, and trying again would not help', async () => {
      const making = provision(aSpec({ host: 'no-such-host' }))

      await expect(making).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
      expect(await refs()).toEqual([])
    })

    test('an unknown stage is refused, and trying again would not help', async () => {
      const making = hypervisor.provision(aSpec(), 'polishing the chrome', patient())

      await expect(making).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
      expect(await refs()).toEqual([])
    })

    test('a machine that was never made is missing', async () => {
      const status = await hypervisor.status('m-404', patient())

      expect(status).toMatchObject({ ref: 'm-404', power: 'missing', host: null, address: null, rdp: null })
    })

    test('the inventory lists the host as reachable, and the machine', async () => {
      await provision(aSpec())

      const { hosts, machines } = await hypervisor.inventory(patient())

      expect(hosts).toContainEqual(expect.objectContaining({ name: opened.host, reachable: true }))
      expect(machines).toEqual([await hypervisor.status('m-1', patient())])
    })

    test.each(verbs)('%s on a machine that is not there says that it is missing', async (_verb, call) => {
      const answer = call(hypervisor, 'm-404', patient())

      await expect(answer).rejects.toBeInstanceOf(Outage)
      await expect(answer).rejects.toMatchObject({ code: 'machine_missing', transient: false })
    })

    // From each state: what is done (twice each), and what the machine is afterwards.
    test.each<[before: string[], verb: string, after: string]>([
      [[], 'start', 'running'],
      [[], 'shutdown', 'stopped'],
      [[], 'powerOff', 'stopped'],
      [[], 'reset', 'running'],
      [[], 'save', 'saved'],
      [[], 'resume', 'running'],
      [[], 'resize', 'running'],
      [[], 'restoreClean', 'running'],
      [['powerOff'], 'start', 'running'],
      [['powerOff'], 'shutdown', 'stopped'],
      [['powerOff'], 'save', 'stopped'],
      [['powerOff'], 'resize', 'stopped'],
      [['powerOff'], 'restoreClean', 'running'],
      [['save'], 'start', 'running'],
      [['save'], 'resume', 'running'],
      [['save'], 'shutdown', 'saved'],
      [['save'], 'powerOff', 'stopped'],
      [['save'], 'restoreClean', 'running'],
    ])('after %j, %s leaves it %s, and so does a second time', async (before, verb, after) => {
      const steps = new Map(verbs)
      const step = async (name: string) => steps.get(name)?.(hypervisor, 'm-1', patient())
      await provision(aSpec())
      for (const name of before) await step(name)

      await step(verb)
      const once = await power('m-1')
      await step(verb)

      expect(once).toBe(after)
      expect(await power('m-1')).toBe(after)
      expect(await refs()).toEqual(['m-1'])
    })

    test.each([
      ['powerOff', 'reset', 'stopped'],
      ['powerOff', 'resume', 'stopped'],
      ['save', 'reset', 'saved'],
      ['save', 'resize', 'saved'],
    ])('after %s, %s is refused and it stays %s', async (before, verb, after) => {
      const steps = new Map(verbs)
      await provision(aSpec())
      await steps.get(before)?.(hypervisor, 'm-1', patient())

      const answer = steps.get(verb)?.(hypervisor, 'm-1', patient())

      await expect(answer).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
      expect(await power('m-1')).toBe(after)
    })

    test('a removed machine is gone, and removing it again is success', async () => {
      await provision(aSpec())

      await hypervisor.remove('m-1', patient())
      await hypervisor.remove('m-1', patient())

      expect(await power('m-1')).toBe('missing')
      expect(await refs()).toEqual([])
    })

    test('a half-made machine can be removed', async () => {
      const [first = ''] = hypervisor.stages
      await hypervisor.provision(aSpec(), first, patient())

      await hypervisor.remove('m-1', patient())

      expect(await refs()).toEqual([])
    })

    test('a name can be used again once its machine is removed', async () => {
      await provision(aSpec({ ref: 'm-1' }))
      await hypervisor.remove('m-1', patient())

      await provision(aSpec({ ref: 'm-2' }))

      expect(await power('m-1')).toBe('missing')
      expect(await power('m-2')).toBe('running')
    })

    test('what is done to one machine is not done to another', async () => {
      await provision(aSpec({ ref: 'm-1', name: 'webafs20' }))
      await provision(aSpec({ ref: 'm-2', name: 'webafs21' }))

      await hypervisor.powerOff('m-1', patient())

      expect(await power('m-1')).toBe('stopped')
      expect(await power('m-2')).toBe('running')
    })

    test('a call whose signal is aborted already makes nothing and rejects with the reason', async () => {
      const [first = ''] = hypervisor.stages
      const reason = new Error('nobody waits any more')

      const making = hypervisor.provision(aSpec(), first, AbortSignal.abort(reason))

      await expect(making).rejects.toBe(reason)
      expect(await refs()).toEqual([])
    })

    test.each(verbs)(
      '%s with an aborted signal rejects with the reason and changes nothing',
      async (_verb, call) => {
        const reason = new Error('nobody waits any more')
        await provision(aSpec())
        const before = await hypervisor.status('m-1', patient())

        const answer = call(hypervisor, 'm-1', AbortSignal.abort(reason))

        await expect(answer).rejects.toBe(reason)
        expect(await hypervisor.status('m-1', patient())).toEqual(before)
      },
    )

    test('questions with an aborted signal reject with the reason', async () => {
      const reason = new Error('nobody waits any more')
      const signal = AbortSignal.abort(reason)

      const answers = [
        hypervisor.inventory(signal),
        hypervisor.status('m-1', signal),
        hypervisor.remove('m-1', signal),
      ]

      for (const answer of answers) await expect(answer).rejects.toBe(reason)
    })

    test('closing twice is harmless', async () => {
      await hypervisor.close()

      await expect(hypervisor.close()).resolves.toBeUndefined()
    })
  })
}
