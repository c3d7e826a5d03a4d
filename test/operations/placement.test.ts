import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { explainPlacementOf } from '../../src/operations/explain-placement.ts'
import { extendMachine } from '../../src/operations/extend-machine.ts'
import { makeQuote } from '../../src/operations/make-quote.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { type Core, demoConfig, minute, openCore } from './core.ts'
import { ordered, shown } from './ordered.ts'

const batch = `groups:
  - { name: batch, title: 'Many, cheap, short', goal: consolidate, maxTerm: P14D, term: P7D, members: [developers] }
  - { name: desktops, goal: consolidate }
templates:`

/** The demo site with a class of its own on the fourth and a fifth host. */
async function classesConfig() {
  return demoConfig((yaml) =>
    yaml
      .replace('templates:', batch)
      .replace(
        /( +- \{ name: cernwod04.*\n)/,
        `$1      - { name: cernwod05, cpus: 16, memoryGb: 64, slots: 40, group: batch }
      - { name: cernwod06, cpus: 16, memoryGb: 64, slots: 40, group: batch }\n`,
      )
      .replace(
        'tariffs:',
        "tariffs:\n  - { name: batch, from: 2009-01-01, freeDays: 0, base: '0.100', perGb: '0.100', perCpu: '0.100', for: [batch] }",
      ),
  )
}

let core: Core
beforeEach(async () => {
  core = await openCore({ config: await classesConfig() })
})
afterEach(() => core.close())

const order = { template: 'slc5', budget: 'T-1042', purpose: 'jobs' }

async function ask(user: string, input: object) {
  return core.operations.perform(requestMachine, await core.as(user), { ...order, ...input })
}

async function explained(user: string, input: object = {}) {
  return core.operations.perform(explainPlacementOf, await core.as(user), { template: 'slc5', ...input })
}

describe('a class of hosts', () => {
  test('has its own hosts, its own prices and its own term where none is said', async () => {
    const quote = await core.operations.perform(makeQuote, await core.as('alice'), {
      ...{ template: 'slc5', group: 'batch' },
    })
    await ordered(core, { group: 'batch', days: undefined })

    expect(quote).toMatchObject({ days: 7, total: '0.70' })
    const machine = await shown(core)
    expect(machine.host).toBe('cernwod05')
    expect(machine.expiresAt).toContain('2026-11-30')
  })

  test('has a longest term of its own, also when a machine on it is extended', async () => {
    await expect(ask('alice', { group: 'batch', days: 15 })).rejects.toMatchObject({ code: 'bad_term' })
    await ordered(core, { group: 'batch', days: 7 })

    const longer = core.operations.perform(extendMachine, await core.as('alice'), {
      ...{ name: 'webafs20', days: 20 },
    })

    await expect(longer).rejects.toMatchObject({ code: 'bad_term' })
  })

  test('takes several machines of one order on as few hosts as are in use', async () => {
    await ordered(core, { group: 'batch', days: 7 })
    await ordered(core, { group: 'batch', days: 7, count: 3, name: 'job' })

    const hosts = await Promise.all(['job01', 'job02', 'job03'].map(async (name) => shown(core, name)))
    expect(hosts.map(({ host }) => host)).toEqual(['cernwod05', 'cernwod05', 'cernwod05'])
  })

  test('is for its members and for operators', async () => {
    await expect(ask('alice', { group: 'desktops', days: 7 })).rejects.toMatchObject({
      code: 'forbidden',
      message: 'You may not ask for machines on desktops. You may on central and batch.',
    })
    await expect(explained('bob', { group: 'batch' })).rejects.toMatchObject({ code: 'forbidden' })
    await expect(explained('olga', { group: 'desktops' })).resolves.toMatchObject({ fits: true })
  })
})

describe('machines of one order', () => {
  test('land on several hosts, or none of them does', async () => {
    await ordered(core, { count: 20, name: 'many', days: 7 })
    const made = await core.store.read((tx) => tx.machines.find('owner', 'alice'))

    await expect(ask('alice', { count: 50, days: 7 })).rejects.toMatchObject({ code: 'no_capacity' })

    expect(made).toHaveLength(20)
    expect(new Set(made.map(({ host }) => host)).size).toBe(3)
    expect(await core.store.read((tx) => tx.machines.find('owner', 'alice'))).toHaveLength(20)
  })

  test('are refused where there are fewer hosts than machines that are to be apart', async () => {
    await expect(ask('alice', { count: 4, apart: true, days: 7 })).rejects.toMatchObject({
      code: 'no_capacity',
    })

    await ordered(core, { count: 3, apart: true, days: 7, name: 'apart' })

    const names = ['apart01', 'apart02', 'apart03']
    const machines = await Promise.all(names.map((name) => shown(core, name)))
    expect(new Set(machines.map(({ host }) => host)).size).toBe(3)
  })
})

describe('an explanation of where machines would go', () => {
  test('has every host with its score and its parts for operators', async () => {
    const { fits, hosts } = await explained('olga', { count: 20 })

    expect(fits).toBe(true)
    expect(hosts).toHaveLength(6)
    expect(hosts[0]).toMatchObject({ host: 'cernwod03', stars: 5, takes: 14, goal: 'spread', reasons: [] })
    expect(hosts.at(-1)).toMatchObject({ stars: null, reasons: [expect.stringContaining('is in group')] })
  })

  test('has reasons and no scores for others', async () => {
    const { hosts } = await explained('alice')

    expect(hosts.every((host) => host.stars === undefined && host.takes === undefined)).toBe(true)
  })

  test('changes nothing', async () => {
    await explained('olga', { count: 20 })

    await core.pass(minute)

    expect(await core.store.read((tx) => tx.machines.find('owner', 'olga'))).toEqual([])
  })

  test('about a machine says where it could be moved to', async () => {
    await ordered(core)
    const { host } = await shown(core)

    const { hosts } = await explained('alice', { machine: 'webafs20' })

    expect(hosts.find((one) => one.host === host)?.reasons).toEqual(['is where it is now'])
  })
})
