import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { claimMachine } from '../../src/operations/claim-machine.ts'
import { extendMachine } from '../../src/operations/extend-machine.ts'
import { importMachines } from '../../src/operations/import-machines.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { resizeMachine } from '../../src/operations/resize-machine.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { transferMachine } from '../../src/operations/transfer-machine.ts'
import { type Core, day, demoConfig, openCore } from './core.ts'

let core: Core
afterEach(() => core.close())

/** The demo site without free days on 23 November 2026, and T-1042 closed from 1 December on. */
async function open(): Promise<void> {
  const edit = (yaml: string): string =>
    yaml
      .replace('freeDays: 31', 'freeDays: 0')
      .replace('title: Detector controls', 'title: Detector controls\n    closed: 2026-12-01')
  core = await openCore({ config: await demoConfig(edit) })
}

async function ask(input: object = {}, user = 'alice') {
  return core.operations.perform(requestMachine, await core.as(user), {
    ...{ template: 'slc5', days: 60, budget: 'T-1042', purpose: 'AFS web server', name: 'webafs20' },
    ...input,
  })
}

async function approve(id: string) {
  return core.operations.perform(approveRequest, await core.as('bob'), { id })
}

const closed = 'T-1042 is closed since 2026-12-01: nothing new is put on it.'

describe('from the day it is closed, nothing new is put on a budget', () => {
  const attempts: [string, (name: string) => Promise<unknown>][] = [
    ['a request', () => ask({ name: 'webafs21' })],
    [
      'more time',
      async (name) => core.operations.perform(extendMachine, await core.as('alice'), { name, days: 30 }),
    ],
    [
      'a larger size',
      async (name) => core.operations.perform(resizeMachine, await core.as('alice'), { name, cpus: 2 }),
    ],
  ]

  test.each(attempts)('%s', async (_what, attempt) => {
    await open()
    await approve((await ask()).id)
    await core.pass(8 * day)

    await expect(attempt('webafs20')).rejects.toMatchObject({
      code: 'unknown_budget',
      message: `${closed} You may use T-2000.`,
      extras: { suggestions: ['T-2000'] },
    })
  })

  test('a machine of another budget', async () => {
    await open()
    await approve((await ask({ budget: 'T-2000' })).id)
    await core.pass(8 * day)
    const wanted = { name: 'webafs20', budget: 'T-1042' }

    const refused = core.operations.perform(transferMachine, await core.as('olga'), wanted)

    await expect(refused).rejects.toMatchObject({
      code: 'unknown_budget',
      message: `${closed} alice may use T-2000.`,
    })
  })

  test('a machine that is claimed', async () => {
    await open()
    const olga = await core.as('olga')
    const csv = await readFile(new URL('../fixtures/cvi-machines.csv', import.meta.url), 'utf8')
    await core.operations.perform(importMachines, olga, { csv })
    await core.pass(8 * day)

    const claim = { name: 'becodev01', owner: 'alice', budget: 'T-1042' }

    await expect(core.operations.perform(claimMachine, olga, claim)).rejects.toMatchObject({
      code: 'unknown_budget',
      message: `${closed} alice may use T-2000.`,
    })
  })

  test('what waited for its decision until then', async () => {
    await open()
    await core.pass(7 * day)
    const { id } = await ask()
    await core.pass(day)

    await expect(approve(id)).rejects.toMatchObject({
      code: 'unknown_budget',
      message: `${closed} Deny ${id}; alice can ask again for another budget.`,
    })
  })
})

test('on the day before, a budget is still open', async () => {
  await open()
  await core.pass(7 * day)

  const { id } = await ask()

  expect(await approve(id)).toMatchObject({ state: 'approved' })
})

test('what runs goes on being charged to the end, can be made smaller, and can leave for another budget', async () => {
  await open()
  await approve((await ask({ cpus: 2 })).id)
  await core.pass(10 * day)

  const alice = await core.as('alice')
  await core.operations.perform(resizeMachine, alice, { name: 'webafs20', cpus: 1 })
  await core.settle()
  await core.pass(10 * day)
  const owner = await core.operations.perform(transferMachine, alice, { name: 'webafs20', owner: 'carol' })
  const budget = await core.operations.perform(showBudget, await core.as('bob'), { code: 'T-1042' })
  const asked = await core.operations.perform(transferMachine, await core.as('carol'), {
    name: 'webafs20',
    budget: 'T-2000',
  })

  expect(budget).toMatchObject({ spent: '26.735', held: '38.40' })
  expect(owner).toMatchObject({ owner: 'carol', budget: 'T-1042' })
  expect(asked).toHaveProperty('request')
})
