import { describe, expect, test } from 'vitest'
import {
  applyDelta,
  autoApproves,
  BudgetRule,
  checkLeft,
  delegatesOn,
  emptyAccount,
  left,
  overview,
  warned,
  warningDue,
} from '../../pricing/budget.ts'
import { aBudget } from './builders.ts'

const rule = aBudget({ limit: 20_000 })
const account = { id: 'T-1042', heldMilli: 12_000, spentMilli: 4_800 }

test('a new account has the whole limit left', () => {
  expect(emptyAccount('T-1042')).toEqual({ id: 'T-1042', heldMilli: 0, spentMilli: 0 })
  expect(left(rule, emptyAccount('T-1042'))).toBe(20_000)
})

describe('money on an account', () => {
  test('is held, spent and released', () => {
    const held = applyDelta(emptyAccount('T-1042'), { heldMilli: 10_000, spentMilli: 0 })
    const spent = applyDelta(held, { heldMilli: -3_000, spentMilli: 3_000 })
    const released = applyDelta(spent, { heldMilli: -7_000, spentMilli: 0 })

    expect(held).toEqual({ id: 'T-1042', heldMilli: 10_000, spentMilli: 0 })
    expect(spent).toEqual({ id: 'T-1042', heldMilli: 7_000, spentMilli: 3_000 })
    expect(released).toEqual({ id: 'T-1042', heldMilli: 0, spentMilli: 3_000 })
  })

  test('can be held to the last unit', () => {
    expect(() => checkLeft(rule, account, 3_200, 'CHF')).not.toThrow()
  })

  test('may be given back for an earlier period, so that less than nothing was spent', () => {
    const account = applyDelta(emptyAccount('T-1042'), { heldMilli: 0, spentMilli: -960 })

    expect(left(rule, account)).toBe(20_960)
  })

  test.each([
    {
      what: 'release more than is held',
      act: () => applyDelta(account, { heldMilli: -12_001, spentMilli: 0 }),
    },
    { what: 'hold less than nothing', act: () => checkLeft(rule, account, -1, 'CHF') },
    { what: 'hold part of a milli-unit', act: () => checkLeft(rule, account, 0.5, 'CHF') },
    { what: 'read another account', act: () => left(rule, emptyAccount('T-2000')) },
    { what: 'read another account of a period', act: () => left(rule, emptyAccount('T-2000|2026')) },
  ])('is asserted: to $what is our own mistake', ({ act }) => {
    expect(act).toThrow(expect.objectContaining({ code: 'ERR_ASSERTION' }))
  })
})

describe('a budget that is used up', () => {
  test.each([
    {
      about: 'with one holder',
      budget: rule,
      says: 'T-1042 has 3.20 CHF left and this needs 12.50 CHF. Its holder bob can raise it.',
    },
    {
      about: 'with two holders',
      budget: aBudget({ limit: 20_000, holders: ['bob', 'carol'] }),
      says: 'T-1042 has 3.20 CHF left and this needs 12.50 CHF. Its holders bob and carol can raise it.',
    },
    {
      about: 'whose limit was lowered',
      budget: aBudget({ limit: 15_000 }),
      says: 'T-1042 is 1.80 CHF over its limit and this needs 12.50 CHF. Its holder bob can raise it.',
    },
  ])('$about refuses with what is left, what is needed and who can help', ({ budget, says }) => {
    const act = () => checkLeft(budget, account, 12_500, 'CHF')

    expect(act).toThrow(expect.objectContaining({ code: 'budget_exhausted', status: 402, message: says }))
  })

  test('refuses one milli-unit too much', () => {
    expect(() => checkLeft(rule, account, 3_201, 'CHF')).toThrow('has 3.20 CHF left and this needs 3.201 CHF')
  })

  test('still holds nothing for a machine that costs nothing', () => {
    const lowered = aBudget({ limit: 15_000 })

    expect(() => checkLeft(lowered, account, 0, 'CHF')).not.toThrow()
  })

  test('names the period that its limit counts for', () => {
    const act = () => checkLeft(rule, { ...account, id: 'T-1042|2026-Q4' }, 3_201, 'CHF')

    expect(act).toThrow('T-1042 has 3.20 CHF left in 2026-Q4 and this needs 3.201 CHF')
  })
})

describe('an overview', () => {
  test('shows what is held, spent and left of the limit', () => {
    expect(overview(rule, account)).toEqual({
      limitMilli: 20_000,
      heldMilli: 12_000,
      spentMilli: 4_800,
      leftMilli: 3_200,
      share: 0.84,
    })
  })

  test.each([
    { about: 'nothing used', limit: 20_000, heldMilli: 0, spentMilli: 0, share: 0 },
    { about: 'all used', limit: 20_000, heldMilli: 5_000, spentMilli: 15_000, share: 1 },
    {
      about: 'more used than a lowered limit',
      limit: 10_000,
      heldMilli: 5_000,
      spentMilli: 15_000,
      share: 1,
    },
    { about: 'a limit of nothing, unused', limit: 0, heldMilli: 0, spentMilli: 0, share: 0 },
    { about: 'a limit of nothing, used', limit: 0, heldMilli: 0, spentMilli: 1, share: 1 },
  ])('has a share of $share with $about', ({ limit, heldMilli, spentMilli, share }) => {
    expect(overview(aBudget({ limit }), { id: 'T-1042', heldMilli, spentMilli }).share).toBe(share)
  })
})

test.each([
  { below: 0, total: 0, approves: false },
  { below: 10_000, total: 0, approves: true },
  { below: 10_000, total: 9_999, approves: true },
  { below: 10_000, total: 10_000, approves: false },
])(
  'with autoApproveBelow $below a cost of $total needs no approver: $approves',
  ({ below, total, approves }) => {
    expect(autoApproves(aBudget({ autoApproveBelow: below }), total)).toBe(approves)
  },
)

describe('a warning to the holders', () => {
  test.each([
    { about: 'under 80 %', used: 15_999, told: undefined, share: null },
    { about: 'at 80 %', used: 16_000, told: undefined, share: 80 },
    { about: 'at 80 % once told', used: 16_000, told: 80, share: null },
    { about: 'at all of it after 80 %', used: 20_000, told: 80, share: 100 },
    { about: 'at all of it at once', used: 20_000, told: undefined, share: 100 },
    { about: 'over it once told', used: 25_000, told: 100, share: null },
    { about: 'at 80 % again after all of it', used: 16_500, told: 100, share: null },
  ] as const)('is due $about: $share', ({ used, told, share }) => {
    const stands = { id: 'T-1042', heldMilli: used - 1_000, spentMilli: 1_000 }
    const account = told === undefined ? stands : warned(rule, stands, told)

    expect(warningDue(rule, account)).toBe(share)
  })

  test('is due anew once the limit is another', () => {
    const account = warned(rule, { id: 'T-1042', heldMilli: 17_000, spentMilli: 0 }, 80)

    expect(warningDue(aBudget({ limit: 21_000 }), account)).toBe(80)
  })

  test('is never due for a budget of nothing', () => {
    expect(warningDue(aBudget({ limit: 0 }), { id: 'T-1042', heldMilli: 0, spentMilli: 5 })).toBeNull()
  })
})

describe('delegates', () => {
  const parsed = BudgetRule.parse({
    code: 'T-1042',
    title: 'Detector controls',
    holders: ['bob'],
    delegates: ['carol', { user: 'Olga', from: '2026-11-01', to: '2026-11-30' }, { user: 'dave' }],
    limit: '20.00',
  })

  test.each([
    { day: '2026-10-31', names: ['carol', 'dave'] },
    { day: '2026-11-01', names: ['carol', 'olga', 'dave'] },
    { day: '2026-11-30', names: ['carol', 'olga', 'dave'] },
    { day: '2026-12-01', names: ['carol', 'dave'] },
  ])('on $day are $names', ({ day, names }) => {
    expect(delegatesOn(parsed, day)).toEqual(names)
  })

  test('whose last day is before their first are a fault of the file', () => {
    const delegates = [{ user: 'olga', from: '2026-11-02', to: '2026-11-01' }]

    const parsed = BudgetRule.safeParse({ code: 'T', title: 'x', holders: ['bob'], limit: '1.00', delegates })

    expect(parsed.success).toBe(false)
  })

  test.each([{ from: '2026-11-01', to: '2026-11-01' }, { from: '2026-11-02' }, { to: '2026-11-01' }, {}])(
    'may be so on %j',
    (days) => {
      const delegates = ['carol', { user: 'olga', ...days }]

      const parsed = BudgetRule.parse({ code: 'T', title: 'x', holders: ['bob'], limit: '1.00', delegates })

      expect(parsed).toMatchObject({ delegates: ['carol'], datedDelegates: [{ user: 'olga', ...days }] })
      expect([parsed.delegates.length, parsed.datedDelegates.length]).toEqual([1, 1])
    },
  )
})
