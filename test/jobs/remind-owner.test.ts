import { afterEach, beforeEach, expect, test } from 'vitest'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { type Core, day, hour, openCore } from '../operations/core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
})
afterEach(() => core.close())

test('a machine stands once on a card that waits, however often its reminder has become due', async () => {
  const order = { template: 'slc5', days: 5, budget: 'T-1042', purpose: 'a test', name: 'webafs20' }
  const { id } = await core.operations.perform(requestMachine, await core.as('alice'), order)
  await core.operations.perform(approveRequest, await core.as('bob'), { id })
  await core.settle()
  core.told.unreachable.add('alice')
  await core.pass(4 * day + 2 * hour)

  core.told.unreachable.clear()
  await core.pass(2 * hour)

  const told = core.told.notices.filter(({ notice }) => notice.kind === 'machine-expiring')
  expect(told).toHaveLength(1)
  expect([told[0]?.notice.about.id, ...(told[0]?.notice.also ?? [])]).toEqual(['webafs20'])
  const machine = await core.store.read((tx) => tx.machines.get('webafs20'))
  expect(machine?.reminders.map(({ deliveredAt }) => deliveredAt === null)).toEqual([false, false])
})
