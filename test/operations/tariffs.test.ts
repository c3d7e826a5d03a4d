import { afterEach, describe, expect, test } from 'vitest'
import { usedTariff } from '../../pricing/used-tariff.ts'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
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
