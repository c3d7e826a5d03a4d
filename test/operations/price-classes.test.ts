import { afterEach, beforeEach, expect, test } from 'vitest'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { extendMachine } from '../../src/operations/extend-machine.ts'
import { listPrices } from '../../src/operations/list-prices.ts'
import { makeQuote } from '../../src/operations/make-quote.ts'
import { quoteResize } from '../../src/operations/quote-resize.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { showStatement } from '../../src/operations/show-statement.ts'
import { type Core, day, demoConfig, openCore } from './core.ts'

let core: Core
/** The demo site without free days, with hosts for batch work at half the price. */
beforeEach(async () => {
  const cheap =
    '{ name: cheap, from: 2026-01-01, for: [batch], freeDays: 0, base: "0.480", perGb: "0.300", perCpu: "0.300" }'
  const edit = (yaml: string): string =>
    yaml
      .replace('freeDays: 31', 'freeDays: 0')
      .replace('members: [developers]', 'members: [developers, operators]')
      .replace('\n# Who may spend how much.', `  - ${cheap}\n\n# Who may spend how much.`)
      .replace(
        '- { name: cernwod01, cpus: 2, memoryGb: 8, slots: 3, group: central }',
        '- { name: farm01, cpus: 8, memoryGb: 64, slots: 9, group: batch }',
      )
  core = await openCore({ config: await demoConfig(edit) })
})
afterEach(() => core.close())

const order = { template: 'slc5', days: 60, cpus: 2 }

async function ask(host: string | undefined) {
  return core.operations.perform(requestMachine, await core.as('olga'), {
    ...order,
    ...{ budget: 'T-1042', purpose: 'simulation', name: 'sim1', ...(host === undefined ? {} : { host }) },
  })
}

async function held(): Promise<string> {
  return (await core.operations.perform(showBudget, await core.as('bob'), { code: 'T-1042' })).held
}

test('a quote, a request, what is held and what is charged go by the tariff of the host group', async () => {
  const usual = await core.operations.perform(makeQuote, await core.as('olga'), order)
  const cheap = await core.operations.perform(makeQuote, await core.as('olga'), { ...order, host: 'farm01' })
  const request = await ask('farm01')
  await core.operations.perform(approveRequest, await core.as('bob'), { id: request.id })
  await core.settle()
  const before = await held()
  await core.pass(5 * day)

  const statement = await core.operations.perform(showStatement, await core.as('bob'), {
    ...{ code: 'T-1042', month: '2026-11' },
  })

  expect([usual.total, cheap.total, request.quote.total]).toEqual(['98.70', '46.80', '46.80'])
  expect([before, await held()]).toEqual(['46.80', '42.90'])
  expect(statement.lines.map(({ component, tariff, amount }) => [component, tariff, amount])).toEqual([
    ['base', 'cheap', '2.40'],
    ['cpu', 'cheap', '1.50'],
  ])
})

test('a machine keeps its class where it is moved to another host group', async () => {
  const { id } = await ask('farm01')
  await core.operations.perform(approveRequest, await core.as('bob'), { id })
  await core.settle()
  await core.store.transact(async (tx) => {
    const machine = await tx.machines.get('sim1')
    if (machine !== undefined) await tx.machines.put({ ...machine, host: 'cernwod03' })
  })

  const extended = await core.operations.perform(extendMachine, await core.as('olga'), {
    ...{ name: 'sim1', days: 10 },
  })
  const resized = await core.operations.perform(quoteResize, await core.as('olga'), { name: 'sim1', cpus: 3 })

  expect(extended.quote.total).toBe('7.80')
  expect(resized).toMatchObject({ perDayNow: '0.78', perDay: '1.08' })
})

test('the price list says which tariff is for whom, and by which one servers go today', async () => {
  const { tariffs } = await core.operations.perform(listPrices, await core.as('alice'), {})

  expect(tariffs).toMatchObject([
    { name: 'standard', holds: true, servers: true },
    { name: 'cheap', for: ['batch'], holds: true, servers: false },
  ])
  expect(tariffs[0]).not.toHaveProperty('for')
})
