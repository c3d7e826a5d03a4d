import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { openFarm } from '../../src/hypervisors/simulated-farm.ts'
import { hypervisorContract } from '../contracts/hypervisor-contract.ts'
import { aRule, aSimulator, aSpec, never, provision, type Simulated } from './simulated.ts'

hypervisorContract('the simulator', async () => {
  const hypervisor = await aSimulator()
  const folder = await mkdtemp(join(tmpdir(), 'simulator-'))
  const dispose = async () => {
    await hypervisor.close()
    await rm(folder, { recursive: true })
  }
  return { hypervisor, host: 'small', otherHost: 'big', folder, dispose }
})

let open: Simulated[] = []

async function opened(...options: Parameters<typeof aSimulator>): Promise<Simulated> {
  const hypervisor = await aSimulator(...options)
  open.push(hypervisor)
  return hypervisor
}

afterEach(async () => {
  await Promise.all(open.map((hypervisor) => hypervisor.close()))
  open = []
})

describe('time', () => {
  test('each stage takes as long as the file says, and a stage that is done already takes none', async () => {
    const slept: number[] = []
    const sleep = async (millis: number) => void slept.push(millis)
    const hypervisor = await opened({ rule: { stage: 'PT1.5S' }, services: { sleep } })

    await provision(hypervisor, aSpec())
    await provision(hypervisor, aSpec())

    expect(slept).toEqual(hypervisor.stages.map(() => 1500))
  })

  test('a stage that is given up half-way leaves no machine', async () => {
    const controller = new AbortController()
    const hypervisor = await opened({ rule: { stage: 'PT1H' }, services: { sleep: undefined } })

    const making = hypervisor.provision(aSpec(), 'placing', controller.signal)
    controller.abort(new Error('enough'))

    await expect(making).rejects.toThrow('enough')
    expect(hypervisor.machine('m-1')).toBeUndefined()
  })

  test('a machine that vanishes while it is being started is missing, not started', async () => {
    const naps = aNap()
    const hypervisor = await opened({ services: { sleep: () => naps.sleep() } })
    await provision(hypervisor, aSpec())
    await hypervisor.powerOff('m-1', never)
    naps.hold()

    const starting = hypervisor.start('m-1', never)
    await hypervisor.vanish('m-1')
    naps.release()

    await expect(starting).rejects.toMatchObject({ code: 'machine_missing', transient: false })
    expect(hypervisor.machine('m-1')).toBeUndefined()
  })

  test('a host that falls silent while a machine is being started is unreachable, and it stays stopped', async () => {
    const naps = aNap()
    const hypervisor = await opened({ services: { sleep: () => naps.sleep() } })
    await provision(hypervisor, aSpec())
    await hypervisor.powerOff('m-1', never)
    naps.hold()

    const starting = hypervisor.start('m-1', never)
    hypervisor.setHost('big', { reachable: false })
    naps.release()

    await expect(starting).rejects.toMatchObject({ code: 'host_unreachable', transient: true })
    expect(hypervisor.machine('m-1')?.power).toBe('stopped')
  })

  test('a half-made machine is stopped, says what is being done to it, and takes no orders yet', async () => {
    const hypervisor = await opened()
    await hypervisor.provision(aSpec(), 'placing', never)

    const status = await hypervisor.status('m-1', never)

    expect(status).toMatchObject({ power: 'stopped', providerState: 'UnderCreation (copying the disk)' })
    const starting = hypervisor.start('m-1', never)
    await expect(starting).rejects.toMatchObject({ code: 'hypervisor_refused', transient: true })
  })

  test('a stage before its turn is refused', async () => {
    const hypervisor = await opened()
    await hypervisor.provision(aSpec(), 'placing', never)

    const making = hypervisor.provision(aSpec(), 'booting', never)

    await expect(making).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
  })
})

describe('room', () => {
  test.each([
    ['slots', [aSpec({ ref: 'a' }), aSpec({ ref: 'b' }), aSpec({ ref: 'c' })], aSpec()],
    ['processors', [aSpec({ ref: 'a', cpus: 7 })], aSpec({ cpus: 2 })],
    ['memory', [aSpec({ ref: 'a', memoryGb: 7.5 })], aSpec({ memoryGb: 0.6 })],
  ])('a host without %s refuses a machine, and trying again would not help', async (what, there, one) => {
    const hypervisor = await opened()
    for (const spec of there) await provision(hypervisor, { ...spec, host: 'small' })

    const making = provision(hypervisor, { ...one, host: 'small' })

    await expect(making).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    await expect(making).rejects.toThrow(`it is out of ${what}`)
    expect(hypervisor.machine('m-1')).toBeUndefined()
  })

  test('two machines that want the last slot at once do not both get it', async () => {
    const hypervisor = await opened({ rule: { hosts: [{ name: 'big', cpus: 1, memoryGb: 4, slots: 1 }] } })

    const makings = ['m-1', 'm-2'].map((ref) => hypervisor.provision(aSpec({ ref }), 'placing', never))
    const outcomes = await Promise.allSettled(makings)

    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('a stopped machine keeps its slot and gives back its memory until it starts', async () => {
    const hypervisor = await opened()
    await provision(hypervisor, aSpec({ ref: 'a', host: 'small', memoryGb: 8 }))
    await hypervisor.powerOff('a', never)
    await provision(hypervisor, aSpec({ ref: 'b', host: 'small', memoryGb: 8 }))

    const starting = hypervisor.start('a', never)

    await expect(starting).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    expect(hypervisor.machine('a')?.power).toBe('stopped')
  })

  test('a machine can grow as far as its host allows, and boots for it', async () => {
    const hypervisor = await opened()
    await provision(hypervisor, aSpec({ host: 'small' }))

    await hypervisor.resize('m-1', { cpus: 8, memoryGb: 8 }, never)

    expect(hypervisor.machine('m-1')).toMatchObject({ cpus: 8, memoryGb: 8, boots: 2 })
    const growing = hypervisor.resize('m-1', { cpus: 9, memoryGb: 8 }, never)
    await expect(growing).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
  })

  test('no two machines have one address, and a freed one is used again only when its machine is gone', async () => {
    const hypervisor = await opened()
    for (const ref of ['a', 'b', 'c']) await provision(hypervisor, aSpec({ ref, os: 'linux' }))

    await hypervisor.remove('b', never)
    await provision(hypervisor, aSpec({ ref: 'd', os: 'linux' }))

    const addresses = ['a', 'c', 'd'].map((ref) => hypervisor.machine(ref)?.address)
    expect(new Set(addresses).size).toBe(3)
    for (const address of addresses) expect(address).toMatch(/^10\.128\.\d+\.\d+$/)
  })

  test(
    'a farm of 20 000 machines has them all in its inventory, each with an address of its own',
    { timeout: 60_000 },
    async () => {
      const hosts = [{ name: 'big', cpus: 10_000, memoryGb: 20_000, slots: 20_000 }]
      const hypervisor = await opened({ rule: { hosts } })
      for (let n = 0; n < 20_000; n++) await provision(hypervisor, aSpec({ ref: `m-${n}`, os: 'linux' }))

      const { machines } = await hypervisor.inventory(never)

      expect(machines).toHaveLength(20_000)
      expect(new Set(machines.map((machine) => machine.address)).size).toBe(20_000)
    },
  )

  test('machines that come after the last free address are found by name', async () => {
    const farm = openFarm(aRule(), [])
    const hypervisor = await opened()
    await provision(hypervisor, aSpec({ os: 'linux', host: 'big' }))
    const machine = hypervisor.machine('m-1')

    for (let n = 0; machine !== undefined && n < 65_534; n++) {
      const address = farm.freeAddress('desktop-1')
      farm.put({ ...machine, ref: `m-${n}`, host: 'elsewhere', address })
    }

    expect(farm.get('m-0')?.address).toBe('10.128.0.1')
    expect(farm.get('m-65533')?.address).toBe('10.128.255.254')
    expect(farm.freeAddress('desktop-1')).toBe('desktop-1.local')
  })
})

describe('a clean desktop', () => {
  test('each cleaning is a new generation, and a reset is not', async () => {
    const hypervisor = await opened()
    await provision(hypervisor, aSpec())

    await hypervisor.reset('m-1', never)
    const afterReset = hypervisor.machine('m-1')?.generation
    await hypervisor.restoreClean('m-1', never)

    expect(afterReset).toBe(1)
    expect(hypervisor.machine('m-1')).toMatchObject({ generation: 2, power: 'running' })
  })
})

/** A sleep that passes at once until it is held, and then waits to be released. */
function aNap() {
  const held = new EventEmitter()
  let gate: Promise<unknown> = Promise.resolve()
  return {
    sleep: async () => {
      await gate
    },
    hold() {
      gate = once(held, 'release')
    },
    release: () => held.emit('release'),
  }
}

describe('disks', () => {
  test('a copy carries what was on the disk of the original, and a clean machine does not keep it', async () => {
    const hypervisor = await opened()
    await provision(hypervisor, aSpec({ ref: 'm-1' }))
    await hypervisor.powerOff('m-1', never)
    await hypervisor.capture('m-1', 'i-1', never)

    await provision(hypervisor, aSpec({ ref: 'm-2', image: 'i-1' }))
    await provision(hypervisor, aSpec({ ref: 'm-3', data: 'i-1', isolated: true }))
    await hypervisor.restoreClean('m-1', never)

    expect(hypervisor.machine('m-2')?.disk).toBe('desktop > m-1 > m-2')
    expect(hypervisor.machine('m-3')).toMatchObject({
      disk: 'desktop > m-3',
      data: 'desktop > m-1',
      isolated: true,
    })
    expect(hypervisor.machine('m-1')?.disk).toBe('desktop > m-1')
  })

  test('a machine is not moved to a host without room for it', async () => {
    const hypervisor = await opened()
    for (const ref of ['a', 'b', 'c']) await provision(hypervisor, aSpec({ ref, host: 'small' }))
    await provision(hypervisor, aSpec({ ref: 'm-1', host: 'big' }))

    const moving = hypervisor.migrate('m-1', 'small', never)

    await expect(moving).rejects.toMatchObject({ code: 'hypervisor_refused', transient: false })
    expect(hypervisor.machine('m-1')?.host).toBe('big')
  })
})
