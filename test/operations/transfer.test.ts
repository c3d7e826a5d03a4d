import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { messageOf } from '../../src/base/errors.ts'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { ledger } from '../../src/operations/charging.ts'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { showMachine } from '../../src/operations/show-machine.ts'
import { showRequest } from '../../src/operations/show-request.ts'
import { showStatement } from '../../src/operations/show-statement.ts'
import { transferMachine } from '../../src/operations/transfer-machine.ts'
import { type Core, day, demoConfig, openCore } from './core.ts'

let core: Core
/** The demo site without free days, in the morning of 23 November 2026 in Zurich. */
beforeEach(async () => {
  core = await openCore({ config: await demoConfig((yaml) => yaml.replace('freeDays: 31', 'freeDays: 0')) })
})
afterEach(() => core.close())

/** Alice's machine on T-1042 for 60 days at 0.96 a day, and ten days of them gone. */
async function aMachineOfTenDays(days = 60): Promise<void> {
  const order = { template: 'slc5', days, budget: 'T-1042', purpose: 'AFS web server', name: 'webafs20' }
  const { id } = await core.operations.perform(requestMachine, await core.as('alice'), order)
  await approve(id)
  await core.pass(10 * day)
}

async function approve(id: string, user = 'bob') {
  return core.operations.perform(approveRequest, await core.as(user), { id })
}

async function transfer(input: object, user = 'alice') {
  const wanted = { name: 'webafs20', ...input }
  return core.operations.perform(transferMachine, await core.as(user), wanted)
}

async function requestFor(input: object, user = 'alice'): Promise<string> {
  const answer = await transfer(input, user)
  if (!('request' in answer) || answer.request === null) throw new Error('it was not asked for')
  return answer.request
}

async function budget(code: string) {
  const { held, spent } = await core.operations.perform(showBudget, await core.as('bob'), { code })
  return { held, spent }
}

async function november() {
  return core.operations.perform(showStatement, await core.as('bob'), { code: 'T-1042', month: '2026-11' })
}

async function payers(): Promise<string[]> {
  return core.store.read(async (tx) => {
    const found: string[] = []
    for await (const row of ledger(tx, { from: '2026-12-01' })) {
      found.push(`${row.day} ${row.budget} ${String(row.owner)}`)
    }
    return found.reverse()
  })
}

describe('another budget', () => {
  test('is asked first, and nothing changes until it has agreed', async () => {
    await aMachineOfTenDays()

    const id = await requestFor({ owner: 'carol', budget: 't-2000', reason: 'she runs it now' })

    const request = await core.operations.perform(showRequest, await core.as('alice'), { id })
    expect(request).toMatchObject({
      state: 'pending',
      kind: 'transfer',
      budget: 'T-2000',
      quote: { total: '48.00', perDay: '0.96' },
      leftAfter: '452.00',
      purpose: 'webafs20 from alice on T-1042 to carol on T-2000: she runs it now',
      approvers: [{ user: 'bob' }, { user: 'carol' }],
      transfer: { machine: 'webafs20', owner: 'carol', was: { owner: 'alice', budget: 'T-1042' } },
    })
    expect([await budget('T-1042'), await budget('T-2000')]).toEqual([
      { held: '48.00', spent: '9.60' },
      { held: '0.00', spent: '0.00' },
    ])
  })

  test('pays from the day it agreed, and the days before stay where they were', async () => {
    await aMachineOfTenDays()
    const statement = await november()
    await approve(await requestFor({ owner: 'carol', budget: 'T-2000' }), 'carol')
    const moved = [await budget('T-1042'), await budget('T-2000')]

    await core.pass(2 * day)

    expect(moved).toEqual([
      { held: '0.00', spent: '9.60' },
      { held: '48.00', spent: '0.00' },
    ])
    expect(await payers()).toEqual([
      '2026-12-01 T-1042 alice',
      '2026-12-02 T-1042 alice',
      '2026-12-03 T-2000 carol',
      '2026-12-04 T-2000 carol',
    ])
    expect(await november()).toEqual(statement)
  })

  test('gets back what it does not need when the machine is deleted', async () => {
    await aMachineOfTenDays()
    await approve(await requestFor({ owner: 'carol', budget: 'T-2000' }))

    await core.operations.perform(deleteMachine, await core.as('carol'), { name: 'webafs20' })
    await core.settle()

    expect([await budget('T-1042'), await budget('T-2000')]).toEqual([
      { held: '0.00', spent: '9.60' },
      { held: '0.00', spent: '0.96' },
    ])
  })

  test('is not asked about what costs less than it lets pass', async () => {
    await aMachineOfTenDays(15)

    const answer = await transfer({ budget: 'T-2000' })

    expect(answer).toMatchObject({ owner: 'alice', budget: 'T-2000', costToDate: '10.56' })
    expect([await budget('T-1042'), await budget('T-2000')]).toEqual([
      { held: '0.00', spent: '9.60' },
      { held: '4.80', spent: '0.00' },
    ])
  })

  test('can be chosen by an operator for the owner, who may use it through a group', async () => {
    await aMachineOfTenDays(15)

    const answer = await transfer({ budget: 'T-2000' }, 'olga')
    await core.settle()

    expect(answer).toMatchObject({ owner: 'alice', budget: 'T-2000' })
    expect(core.told.notices.map(({ user, notice }) => [user, notice.text])).toContainEqual([
      'alice',
      'olga handed on webafs20: it belongs to alice and is paid from T-2000 from today on.',
    ])
  })

  test('cannot agree to what has become of the machine meanwhile', async () => {
    await aMachineOfTenDays()
    const id = await requestFor({ budget: 'T-2000' })
    await transfer({ owner: 'carol' })

    await expect(approve(id)).rejects.toMatchObject({
      code: 'wrong_state',
      message: `webafs20 belongs to carol and is paid from T-1042 meanwhile. Deny ${id}; it can be asked for again.`,
    })
  })
})

test('another owner on the same budget has the machine at once, and is told', async () => {
  await aMachineOfTenDays()

  const answer = await transfer({ owner: 'Carol' })
  await core.settle()

  const seen = await core.operations.perform(showMachine, await core.as('carol'), { name: 'webafs20' })
  expect(answer).toMatchObject({ owner: 'carol', budget: 'T-1042' })
  expect(seen.verbs).toContain('delete')
  expect(core.told.notices.at(-1)).toMatchObject({ user: 'carol', notice: { kind: 'machine-changed' } })
  expect(await budget('T-1042')).toEqual({ held: '48.00', spent: '9.60' })
})

test('a month in which a machine was handed on is stated for each owner with their days', async () => {
  await aMachineOfTenDays()
  await transfer({ owner: 'carol' })
  await core.pass(5 * day)

  const { machines, lines, days, total } = await core.operations.perform(
    showStatement,
    await core.as('bob'),
    { code: 'T-1042', month: '2026-12' },
  )

  expect(machines).toEqual([
    { machine: 'webafs20', owner: 'alice', days: 2, freeDays: 0, hours: 0, total: '1.92' },
    { machine: 'webafs20', owner: 'carol', days: 5, freeDays: 0, hours: 0, total: '4.80' },
  ])
  expect(lines.map(({ owner, days: each, amount }) => [owner, each, amount])).toEqual([
    ['alice', 2, '1.92'],
    ['carol', 5, '4.80'],
  ])
  expect([days, total]).toEqual([7, '6.72'])
})

describe('is refused', () => {
  test.each([
    [{}, 'alice', 'invalid_input', 'belongs to alice and is paid from T-1042 already. Say another owner'],
    [{ owner: 'alice', budget: 'T-1042' }, 'alice', 'invalid_input', 'already'],
    [{ owner: 'nobody' }, 'alice', 'invalid_input', 'The directory knows nobody called nobody.'],
    [{ budget: 'T-9' }, 'alice', 'unknown_budget', 'There is no budget T-9. You may use T-1042 or T-2000.'],
    [{ owner: 'olga' }, 'alice', 'not_a_member', 'T-1042 is not for olga to use; its holders are bob.'],
    [{ owner: 'carol' }, 'bob', 'forbidden', 'Only its owner or an operator may hand it on.'],
    [{ owner: 'carol' }, 'carol', 'not_found', 'There is no machine webafs20'],
  ])('%j by %s: %s', async (input, user, code, words) => {
    await aMachineOfTenDays()

    const refused: unknown = await transfer(input, user).catch((error: unknown) => error)

    expect(refused).toMatchObject({ code })
    expect(messageOf(refused)).toContain(words)
    expect(await budget('T-1042')).toEqual({ held: '48.00', spent: '9.60' })
  })

  test('what a budget has no room for', async () => {
    await core.close()
    const short = (yaml: string): string =>
      yaml.replace('freeDays: 31', 'freeDays: 0').replace("limit: '500.00'", "limit: '47.99'")
    core = await openCore({ config: await demoConfig(short) })
    await aMachineOfTenDays()

    await expect(transfer({ budget: 'T-2000' })).rejects.toMatchObject({
      code: 'budget_exhausted',
      message: 'T-2000 has 47.99 CHF left and this needs 48.00 CHF. Its holders bob and carol can raise it.',
    })
  })

  test('a machine that is gone', async () => {
    await aMachineOfTenDays()
    await core.operations.perform(deleteMachine, await core.as('alice'), { name: 'webafs20' })
    await core.settle()

    await expect(transfer({ owner: 'carol' })).rejects.toMatchObject({ code: 'wrong_state' })
  })
})

describe('from a later day on', () => {
  test('another budget pays from that day, and the days before stay whose they were', async () => {
    await aMachineOfTenDays()
    const id = await requestFor({ budget: 'T-2000', from: '2026-12-10' })
    await approve(id)
    const agreed = await core.operations.perform(showMachine, await core.as('alice'), { name: 'webafs20' })

    await core.pass(10 * day)

    expect(agreed).toMatchObject({
      budget: 'T-1042',
      handover: { owner: 'alice', budget: 'T-2000', at: '2026-12-09T23:00:00.000Z' },
    })
    const after = await core.operations.perform(showMachine, await core.as('alice'), { name: 'webafs20' })
    expect(after).toMatchObject({ budget: 'T-2000', handover: null })
    const rows = await payers()
    expect(rows).toContain('2026-12-09 T-1042 alice')
    expect(rows).toContain('2026-12-10 T-2000 alice')
    expect(rows).not.toContain('2026-12-10 T-1042 alice')
  })

  test('the request says what the days from then on cost, not those before', async () => {
    await aMachineOfTenDays()

    const id = await requestFor({ budget: 'T-2000', from: '2027-01-02' })

    const request = await core.operations.perform(showRequest, await core.as('bob'), { id })
    expect(request.quote.total).toBe('19.20')
  })

  test.each([
    ['has passed', '2026-11-24'],
    ['is not before its end', '2027-01-22'],
  ])('a day that %s is refused, and nothing is written', async (_case, from) => {
    await aMachineOfTenDays()

    await expect(transfer({ budget: 'T-2000', from })).rejects.toMatchObject({ code: 'bad_term' })
    expect(await budget('T-2000')).toEqual({ held: '0.00', spent: '0.00' })
  })

  test('what is not possible any more on that day is told, and the machine stays as it was', async () => {
    await aMachineOfTenDays()
    await approve(await requestFor({ budget: 'T-2000', from: '2026-12-10' }))
    const order = {
      template: 'slc5',
      days: 155,
      cpus: 4,
      memoryGb: 1,
      budget: 'T-2000',
      purpose: 'in the way',
    }
    const other = await core.operations.perform(requestMachine, await core.as('alice'), order)
    if (other.state === 'pending') await approve(other.id)
    const left = await core.operations.perform(showBudget, await core.as('bob'), { code: 'T-2000' })

    await core.pass(10 * day)

    const after = await core.operations.perform(showMachine, await core.as('alice'), { name: 'webafs20' })
    const told = core.told.notices.filter(({ notice }) => notice.kind === 'machine-failed')
    expect(Number(left.left)).toBeLessThan(40)
    expect(after).toMatchObject({ budget: 'T-1042', handover: null })
    expect(told.map(({ user }) => user)).toContain('alice')
  })
})
