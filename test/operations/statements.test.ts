import { afterEach, describe, expect, test } from 'vitest'
import { approveRequest } from '../../src/operations/approve-request.ts'
import { denyRequest } from '../../src/operations/deny-request.ts'
import { deleteMachine } from '../../src/operations/delete-machine.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import { showBudget } from '../../src/operations/show-budget.ts'
import { showCosts } from '../../src/operations/show-costs.ts'
import { showStatement, type StatementView } from '../../src/operations/show-statement.ts'
import { checkFocus } from '../pricing/focus-check.ts'
import { type Core, day, demoConfig, openCore } from './core.ts'

let core: Core
afterEach(() => core.close())

/** The demo site without free days, in the morning of 23 November 2026 in Zurich. */
async function open(edit: (yaml: string) => string = (yaml) => yaml): Promise<void> {
  const config = await demoConfig((yaml) => edit(yaml.replace('freeDays: 31', 'freeDays: 0')))
  core = await openCore({ config })
}

async function ask(input: object = {}, user = 'alice') {
  return core.operations.perform(requestMachine, await core.as(user), {
    ...{ template: 'slc5', days: 60, budget: 'T-1042', purpose: 'AFS web server', name: 'webafs20' },
    ...input,
  })
}

async function aRunningMachine(input: object = {}): Promise<void> {
  const { id } = await ask(input)
  await core.operations.perform(approveRequest, await core.as('bob'), { id })
  await core.settle()
}

async function statementOf(month: string, format?: 'focus'): Promise<StatementView> {
  const input = { code: 'T-1042', month, ...(format === undefined ? {} : { format }) }
  return core.operations.perform(showStatement, await core.as('bob'), input)
}

function formatted(name: string, answer: StatementView): string {
  const format = showStatement.http?.formats?.find((known) => known.name === name)
  if (format === undefined) throw new Error(`there is no format ${name}`)
  return format.render(answer)
}

async function budget(code = 'T-1042') {
  return core.operations.perform(showBudget, await core.as('bob'), { code })
}

describe('a statement', () => {
  test('says what a budget was charged in a month, by machine and component', async () => {
    await open()
    await aRunningMachine({ cpus: 2, memoryGb: 4 })

    await core.pass(3 * day)

    expect(await statementOf('2026-11')).toMatchObject({
      id: 'T-1042-2026-11',
      state: 'open',
      from: '2026-10-31T23:00:00.000Z',
      to: '2026-11-30T23:00:00.000Z',
      total: '11.10',
      rounded: '11.10',
      days: 3,
      freeDays: 0,
      machines: [{ machine: 'webafs20', owner: 'alice', days: 3, freeDays: 0, total: '11.10' }],
      lines: [
        { component: 'base', quantity: 1, unitPrice: '0.96', days: 3, amount: '2.88', reason: null },
        { component: 'memory', quantity: 3, unitPrice: '0.685', days: 3, amount: '6.165' },
        { component: 'cpu', quantity: 1, unitPrice: '0.685', days: 3, amount: '2.055' },
      ],
    })
  })

  test('is closed once all of its days are charged, and then never changes', async () => {
    await open()
    await aRunningMachine()
    await core.pass(7 * day)
    const lastOfNovember = await statementOf('2026-11')

    await core.pass(day)
    const closed = await statementOf('2026-11')
    await core.operations.perform(deleteMachine, await core.as('alice'), { name: 'webafs20' })
    await core.pass(40 * day)

    expect([lastOfNovember.state, lastOfNovember.days]).toEqual(['open', 7])
    expect([closed.state, closed.days, closed.total]).toEqual(['closed', 8, '7.68'])
    expect(await statementOf('2026-11')).toEqual(closed)
    expect((await statementOf('2026-12')).total).toBe('0.96')
  })

  test('stays open while days of it are missed', async () => {
    await open()
    await aRunningMachine()
    core.clock.set('2026-12-03T08:00:00.000Z')

    const before = await statementOf('2026-11')
    await core.settle()

    expect([before.state, before.days]).toEqual(['open', 0])
    expect(await statementOf('2026-11')).toMatchObject({ state: 'closed', days: 8 })
  })

  test('adds up to what was spent, also as CSV and as FOCUS, row by row', async () => {
    await open()
    await aRunningMachine({ cpus: 2, memoryGb: 4 })
    await aRunningMachine({ name: 'webafs21' })
    await core.pass(5 * day)

    const statement = await statementOf('2026-11', 'focus')
    const lines = formatted('csv', statement).split('\r\n')
    const focus = checkFocus(formatted('focus', statement))

    const billed = focus.reduce((sum, row) => sum + Math.round(Number(row['BilledCost']) * 1000), 0)
    expect((await budget()).spent).toBe('23.30')
    expect(statement.total).toBe('23.30')
    expect(billed).toBe(23_300)
    expect(lines[1]).toBe('T-1042,2026-11,open,webafs20,alice,base,running,standard,1,0.96,5,4.80,CHF,')
    expect(lines.at(-2)).toBe('T-1042,2026-11,open,,,total,,,,,10,23.30,CHF,')
    expect(focus).toHaveLength(5 * 3 + 5)
  })

  test('is for those who may use the budget, and for no month that has not begun', async () => {
    await open((yaml) => yaml.replace('members: [developers]', 'members: []'))
    const carol = await core.as('carol')

    await expect(
      core.operations.perform(showStatement, carol, { code: 'T-1042', month: '2026-11' }),
    ).rejects.toMatchObject({ code: 'not_found' })
    await expect(statementOf('2026-12')).rejects.toMatchObject({ code: 'invalid_input' })
    await expect(statementOf('2026-13')).rejects.toMatchObject({ code: 'invalid_input' })
  })
})

describe('costs by month', () => {
  test('are facts up to today and a forecast to the end of each machine', async () => {
    await open()
    await aRunningMachine({ days: 20 })
    await core.pass(10 * day)

    const costs = await core.operations.perform(showCosts, await core.as('bob'), {
      budget: 'T-1042',
      months: 2,
      ahead: 1,
    })

    expect(costs).toEqual({
      currency: 'CHF',
      thisMonth: '2026-12',
      charged: '9.60',
      forecast: '9.60',
      months: [
        {
          ...{ month: '2026-11', charged: '7.68', forecast: '0.00' },
          machines: [{ machine: 'webafs20', charged: '7.68', forecast: '0.00' }],
        },
        {
          ...{ month: '2026-12', charged: '1.92', forecast: '9.60' },
          machines: [{ machine: 'webafs20', charged: '1.92', forecast: '9.60' }],
        },
        { month: '2027-01', charged: '0.00', forecast: '0.00', machines: [] },
      ],
    })
  })

  test('of one machine and of all of yours are the same where there is but one', async () => {
    await open()
    await aRunningMachine({ days: 20 })
    await core.pass(3 * day)
    const alice = await core.as('alice')

    const mine = await core.operations.perform(showCosts, alice, {})
    const its = await core.operations.perform(showCosts, alice, { machine: 'webafs20' })

    expect([its.charged, its.forecast]).toEqual(['2.88', '16.32'])
    expect(mine).toEqual(its)
    await expect(
      core.operations.perform(showCosts, await core.as('carol'), { machine: 'webafs20' }),
    ).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('a limit that begins anew', () => {
  const monthly = (yaml: string): string =>
    yaml.replace("limit: '2000.00'", "period: month\n    limit: '20.00'")

  test('holds in each month what is for its days, and forecasts to the end of it', async () => {
    await open(monthly)
    await aRunningMachine({ days: 20 })
    const november = await budget()

    await core.pass(10 * day)

    expect(november).toMatchObject({ period: 'month', periodName: '2026-11', held: '7.68', left: '12.32' })
    expect(await budget()).toMatchObject({
      periodName: '2026-12',
      held: '9.60',
      spent: '1.92',
      left: '8.48',
      forecast: '11.52',
    })
  })

  test('is refused where a later month has no room, though this one has', async () => {
    await open(monthly)

    await expect(ask({ days: 40 })).rejects.toThrow(
      'T-1042 has 20.00 CHF left in 2026-12 and this needs 29.76 CHF',
    )
  })

  test('counts machines without an end in its forecast', async () => {
    await open((yaml) => monthly(yaml).replace('maxTerm: P365D', 'maxTerm: P3D\n    never: true'))
    await aRunningMachine({ days: undefined, until: 'never' })

    const { held, forecast } = await budget()

    expect([held, forecast]).toEqual(['2.88', '7.68'])
  })
})

describe('the people of a budget', () => {
  test('are told once at 80 and once at 100 %', async () => {
    await open((yaml) => yaml.replace("limit: '2000.00'", "limit: '19.20'"))

    await aRunningMachine({ days: 16 })
    await core.pass(3 * day)
    await aRunningMachine({ days: 1, name: 'webafs21' })
    await aRunningMachine({ days: 3, name: 'webafs22' })
    await core.pass(3 * day)

    const warnings = core.told.notices.filter(({ notice }) => notice.kind === 'budget-warning')
    expect(warnings.map(({ user, notice }) => [user, notice.text])).toEqual([
      ['bob', '80 % of T-1042 are held or spent: 15.36 of 19.20 CHF. 3.84 CHF are left.'],
      ['bob', '100 % of T-1042 are held or spent: 19.20 of 19.20 CHF. Nothing is left.'],
    ])
    expect(warnings[0]?.notice.about).toEqual({ kind: 'budget', id: 'T-1042' })
  })

  test('are its delegates on the days that the file says', async () => {
    await open((yaml) =>
      yaml.replace('delegates: []', 'delegates: [{ user: carol, from: 2026-11-24, to: 2026-11-25 }]'),
    )
    const before = await ask()
    await core.pass(day)
    const during = await ask({ name: 'webafs21' })
    await core.pass(2 * day)

    expect(before.approvers.map(({ user }) => user)).toEqual(['bob'])
    expect(during.approvers.map(({ user }) => user)).toEqual(['bob', 'carol'])
    await expect(
      core.operations.perform(denyRequest, await core.as('carol'), { id: during.id, reason: 'no' }),
    ).rejects.toMatchObject({ code: 'not_an_approver' })
  })
})
