import { afterEach, beforeEach, expect, test } from 'vitest'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { type Core, day, openCore } from '../operations/core.ts'

let core: Core
beforeEach(async () => {
  core = await openCore()
})
afterEach(() => core.close())

test('a machine that is slow to come to rest at its end is told of once', async () => {
  const order = { template: 'slc5', days: 2, budget: 'T-1042', purpose: 'a test', name: 'webafs20' }
  const { id } = await core.operations.perform(requestMachine, await core.as('alice'), order)
  await core.operations.perform(approveRequest, await core.as('bob'), { id })
  await core.settle()
  const outage = { code: 'host_unreachable', transient: true } as const
  core.hypervisor.fault({ on: 'save', outage, times: 2 })

  await core.pass(3 * day)

  const ends = core.told.notices.filter(({ notice }) => notice.kind === 'machine-expired')
  expect(ends.map(({ user }) => user)).toEqual(['alice'])
  expect(await core.store.read((tx) => tx.machines.get('webafs20'))).toMatchObject({ state: 'expired' })
})
