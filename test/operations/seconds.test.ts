import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { plusMillis } from '../../src/base/clock.ts'
import { openDesktop } from '../../src/operations/open-desktop.ts'
import { extendMachine } from '../../src/operations/extend-machine.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import { type Core, demoConfig, openCore } from './core.ts'

const second = 1000

/** A site for trials, on which everything takes seconds. */
function hasty(yaml: string): string {
  return yaml
    .replace(/approvals: \{.*\}/, 'approvals: { expire: PT20S, fallback: [olga], remindAfter: PT5S }')
    .replace('reminders: [P14D, P7D, P3D, P1D]', 'reminders: [PT10S, PT5S]')
    .replace('grace: P7D', 'grace: PT8S')
    .replace(
      /lease: \{ max: PT2H.*?\}/,
      'lease: { max: PT20S, warn: PT5S, disconnected: PT4S, unused: PT6S, atEnd: reset }',
    )
}

let core: Core
beforeEach(async () => {
  core = await openCore({ config: await demoConfig(hasty) })
})
afterEach(() => core.close())

async function kindsFor(user: string): Promise<string[]> {
  return core.told.notices.filter((told) => told.user === user).map(({ notice }) => notice.kind)
}

async function aMachineFor(millis: number): Promise<void> {
  const until = plusMillis(core.clock.now(), millis)
  const order = { template: 'slc5', until, budget: 'T-2000', purpose: 'a trial', name: 'trial' }
  await core.operations.perform(requestMachine, await core.as('alice'), order)
  await core.settle()
}

async function show() {
  return core.operations.perform(showMachine, await core.as('alice'), { name: 'trial' })
}

describe('on a site where everything takes seconds', () => {
  test('a machine is announced, reminded of, put to rest and deleted in half a minute', async () => {
    await aMachineFor(20 * second)

    await core.pass(21 * second)
    const rested = await show()
    await core.pass(9 * second)

    expect(rested.state).toBe('expired')
    expect((await show()).state).toBe('deleted')
    expect(await kindsFor('alice')).toEqual([
      'request-decided',
      'machine-ready',
      'machine-expiring',
      'machine-expiring',
      'machine-expired',
      'machine-deleted',
    ])
  })

  test('an extension in the last second keeps it', async () => {
    await aMachineFor(20 * second)
    await core.pass(19 * second)

    const until = plusMillis(core.clock.now(), 60 * second)
    await core.operations.perform(extendMachine, await core.as('alice'), { name: 'trial', until })
    await core.pass(40 * second)

    expect((await show()).state).toBe('running')
  })

  test('reminders that nobody could receive are sent late, and nothing is deleted meanwhile', async () => {
    await aMachineFor(20 * second)
    core.told.unreachable.add('alice')
    await core.pass(60 * second)
    const meanwhile = await show()

    core.told.unreachable.clear()
    await core.pass(180 * second)

    expect(meanwhile.state).toBe('expired')
    expect(await kindsFor('alice')).toContain('machine-deleted')
    expect((await show()).state).toBe('deleted')
  })

  test('a request waits twenty seconds for its decision', async () => {
    const order = { template: 'slc5', days: 40, budget: 'T-1042', purpose: 'a trial' }
    await core.operations.perform(requestMachine, await core.as('alice'), order)

    await core.pass(21 * second)

    expect(await kindsFor('bob')).toEqual(['approval-wanted', 'approval-reminder', 'approval-reminder'])
    expect(await kindsFor('alice')).toEqual(['request-decided'])
  })

  test('a desktop that nobody dials goes back after six', async () => {
    const { lease } = await core.operations.perform(openDesktop, await core.as('carol'), { pool: 'public' })

    await core.pass(7 * second)

    expect(await core.store.read((tx) => tx.leases.get(lease))).toMatchObject({ endReason: 'never_used' })
  })
})
