import { afterEach, describe, expect, test } from 'vitest'
import { tariffOn } from '../../pricing/tariff.ts'
import { usedTariff } from '../../pricing/used-tariff.ts'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { extendMachine } from '../../src/operations/extend-machine.ts'
import { tariffsOf } from '../../src/operations/promising.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import { type Core, day, demoConfig, openCore } from './core.ts'

let core: Core
afterEach(() => core.close())

async function open(edit: (yaml: string) => string = (yaml) => yaml): Promise<void> {
  core = await openCore({ config: await demoConfig(edit) })
}

async function aRunningMachine(input: object = {}): Promise<void> {
  const request = await core.operations.perform(requestMachine, await core.as('alice'), {
    ...{ template: 'slc5', days: 60, budget: 'T-1042', purpose: 'AFS web server', name: 'webafs20' },
    ...input,
  })
  await core.operations.perform(approveRequest, await core.as('bob'), { id: request.id })
  await core.settle()
}

const laterPrice = (from: string) => (yaml: string) =>
  yaml.replace(
    '\n# Who may spend how much.',
    `  - { name: dearer, from: ${from}, freeDays: 31, base: "2.000", perGb: "1.000", perCpu: "1.000" }\n\n# Who may spend how much.`,
  )

describe('a tariff that is used', () => {
  test('is remembered from the first day that is charged by it, and one to come is not', async () => {
    await open(laterPrice('2026-12-24'))
    await aRunningMachine()
    const atApproval = await core.store.read((tx) => tx.tariffs.all())

    await core.pass(2 * day)

    expect(atApproval).toEqual([])
    const [standard, dearer] = core.config.site.tariffs.map(usedTariff)
    expect(await core.store.read((tx) => tx.tariffs.all())).toEqual([standard])
    await core.pass(31 * day)
    expect(await core.store.read((tx) => tx.tariffs.all())).toEqual([standard, dearer])
  })
})

describe('where the site honours its quotes', () => {
  const honours = (yaml: string): string =>
    laterPrice('2026-12-01')(yaml)
      .replaceAll('freeDays: 31', 'freeDays: 0')
      .replace(/^policies:$/m, 'policies:\n  prices: { honourQuotes: true }')

  async function show() {
    return core.operations.perform(showMachine, await core.as('alice'), { name: 'webafs20' })
  }

  async function held() {
    return (await core.operations.perform(showBudget, await core.as('bob'), { code: 'T-1042' })).held
  }

  test('a machine costs what it was quoted to its end, also after a later tariff has begun', async () => {
    await open(honours)

    await aRunningMachine()

    expect(await held()).toBe('57.60')
    await core.pass(40 * day)
    expect((await show()).costToDate).toBe('39.36')
    expect(await held()).toBe('19.20')
  })

  test('more time is priced by the tariff of the day on which it is agreed', async () => {
    await open(honours)
    await aRunningMachine()
    await core.pass(40 * day)

    const extended = await core.operations.perform(extendMachine, await core.as('alice'), {
      ...{ name: 'webafs20', days: 10 },
    })

    expect(extended.quote.total).toBe('20.00')
    expect(await held()).toBe('39.20')
    await core.pass(25 * day)
    expect((await show()).costToDate).toBe('69.60')
  })

  test('what was promised holds when the site no longer promises', async () => {
    await open(honours)
    await aRunningMachine()
    const { site } = core.config
    const later = { ...site, policies: { ...site.policies, prices: { honourQuotes: false } } }

    const [promised, plain] = await core.store.read(async (tx) => {
      const commitment = await tx.commitments.get('webafs20')
      return [tariffsOf(later, commitment), tariffsOf(later, undefined)]
    })

    expect(tariffOn('2026-12-24', promised).name).toBe('standard')
    expect(tariffOn('2027-01-22', promised).name).toBe('dearer')
    expect(tariffOn('2026-12-24', plain).name).toBe('dearer')
  })

  test('elsewhere each day goes by its own tariff, and the quote says so', async () => {
    await open((yaml) => honours(yaml).replace('honourQuotes: true', 'honourQuotes: false'))

    await aRunningMachine()

    expect(await held()).toBe('111.68')
  })
})
