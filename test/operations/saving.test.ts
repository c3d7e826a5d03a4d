import { afterEach, expect, test } from 'vitest'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { minus } from '../../pricing/money.ts'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { listMachines } from '../../src/operations/list-machines.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import { showStatement } from '../../src/operations/show-statement.ts'
import { type Core, day, demoConfig, openCore } from './core.ts'

let core: Core
afterEach(() => core.close())

/** Alice's server of the demo site, as it is some days after it was made. */
async function after(days: number, edit?: (yaml: string) => string): Promise<void> {
  core = await openCore({ config: await demoConfig(edit) })
  const order = { template: 'slc5', days: 60, cpus: 2, memoryGb: 4, budget: 'T-1042' }
  const request = await core.operations.perform(requestMachine, await core.as('alice'), {
    ...{ ...order, purpose: 'AFS', name: 'webafs20' },
  })
  await core.operations.perform(approveRequest, await core.as('bob'), { id: request.id })
  await core.settle()
  await core.pass(days * day)
}

async function show() {
  return core.operations.perform(showMachine, await core.as('alice'), { name: 'webafs20' })
}

async function left(): Promise<string> {
  return (await core.operations.perform(showBudget, await core.as('bob'), { code: 'T-1042' })).left
}

test.each([
  [0, { freeDays: 30, delete: { perDay: '3.70', back: '107.30' } }],
  [40, { freeDays: 0, delete: { perDay: '3.70', back: '70.30' } }],
])('what a deletion on day %i is said to give back is what comes back', async (days, savings) => {
  await after(days)
  const [before, said] = [await left(), (await show()).savings]

  await core.operations.perform(deleteMachine, await core.as('alice'), { name: 'webafs20' })
  await core.settle()

  expect(said).toMatchObject(savings)
  expect(minus(await left(), before)).toBe(savings.delete.back)
  expect((await show()).savings).toBeUndefined()
})

test('a saved machine saves by the tariff that says so, and nothing by one that does not', async () => {
  await after(0)
  const plain = (await show()).savings
  await core.close()
  await after(0, (yaml) => yaml.replace("base: '0.960'", "base: '0.960'\n    saved: { base: '0.100' }"))

  expect(plain?.save).toEqual({ perDay: '0.00' })
  expect((await show()).savings?.save).toEqual({ perDay: '0.86' })
})

test('the cost to date is the sum of the ledger, on the list and on the machine', async () => {
  await after(40)
  const [shown, list] = [
    await show(),
    await core.operations.perform(listMachines, await core.as('alice'), {}),
  ]

  // Today is on the card already, and in the ledger once it has passed.
  await core.pass(day)
  const bob = await core.as('bob')
  const months = ['2026-11', '2026-12', '2027-01']
  const statements = await Promise.all(
    months.map((month) => core.operations.perform(showStatement, bob, { code: 'T-1042', month })),
  )
  const rows = statements.reduce((sum, { total }) => sum + Math.round(Number(total) * 1000), 0)

  expect(shown.costToDate).toBe('37.00')
  expect(list.items.map(({ costToDate }) => costToDate)).toEqual(['37.00'])
  expect(rows).toBe(37_000)
})
