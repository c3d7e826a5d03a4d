import { describe, expect, test } from 'vitest'
import {
  applyDelta,
  autoApproves,
  commit,
  emptyAccount,
  hold,
  left,
  overview,
  release,
  settle,
  spend,
  topUp,
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
    const held = hold(rule, emptyAccount('T-1042'), 10_000, 'CHF')
    const spent = spend(held, 3_000)
    const released = release(spent, 7_000)

    expect(held).toEqual({ id: 'T-1042', heldMilli: 10_000, spentMilli: 0 })
    expect(spent).toEqual({ id: 'T-1042', heldMilli: 7_000, spentMilli: 3_000 })
    expect(released).toEqual({ id: 'T-1042', heldMilli: 0, spentMilli: 3_000 })
  })

  test('can be held to the last unit', () => {
    const full = hold(rule, account, 3_200, 'CHF')

    expect(left(rule, full)).toBe(0)
  })

  test('is not taken from the account that was handed in', () => {
    const before = { ...account }

    hold(rule, account, 1_000, 'CHF')

    expect(account).toEqual(before)
  })

  test.each([
    { what: 'spend more than is held', act: () => spend(account, 12_001) },
    { what: 'release more than is held', act: () => release(account, 12_001) },
    { what: 'spend less than nothing', act: () => spend(account, -1) },
    { what: 'release less than nothing', act: () => release(account, -1) },
    { what: 'hold less than nothing', act: () => hold(rule, account, -1, 'CHF') },
    { what: 'hold part of a milli-unit', act: () => hold(rule, account, 0.5, 'CHF') },
    { what: 'read another account', act: () => left(rule, emptyAccount('T-2000')) },
    {
      what: 'take back what was never spent',
      act: () => applyDelta(account, { heldMilli: 0, spentMilli: -4_801 }),
    },
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
    const act = () => hold(budget, account, 12_500, 'CHF')

    expect(act).toThrow(expect.objectContaining({ code: 'budget_exhausted', status: 402, message: says }))
  })

  test('refuses one milli-unit too much', () => {
    expect(() => hold(rule, account, 3_201, 'CHF')).toThrow('has 3.20 CHF left and this needs 3.201 CHF')
  })

  test('still holds nothing for a machine that costs nothing', () => {
    const lowered = aBudget({ limit: 15_000 })

    expect(hold(lowered, account, 0, 'CHF')).toEqual(account)
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

describe('a commitment', () => {
  const commitment = commit({
    machine: 'webafs20',
    budget: 'T-1042',
    createdDay: '2009-10-16',
    paidTo: '2009-10-30',
    heldMilli: 10_000,
  })

  test('is known by its machine and starts with nothing spent', () => {
    expect(commitment).toEqual({
      id: 'webafs20',
      budget: 'T-1042',
      createdDay: '2009-10-16',
      paidTo: '2009-10-30',
      heldMilli: 10_000,
      spentMilli: 0,
    })
  })

  test('grows with an extension and keeps the day it was made', () => {
    const longer = topUp(commitment, { heldMilli: 2_500, paidTo: '2009-11-30' })

    expect(longer).toEqual({ ...commitment, heldMilli: 12_500, paidTo: '2009-11-30' })
  })

  test('grows for the same days when its machine grows', () => {
    const dearer = topUp(commitment, { heldMilli: 2_500, paidTo: '2009-10-30' })

    expect(dearer).toEqual({ ...commitment, heldMilli: 12_500 })
  })

  test.each([
    { about: 'in part', spent: 0, owed: 4_000, due: 4_000 },
    { about: 'in whole', spent: 0, owed: 10_000, due: 10_000 },
    { about: 'when nothing is owed', spent: 0, owed: 0, due: 0 },
    { about: 'up to what was approved', spent: 0, owed: 99_000, due: 10_000 },
    { about: 'after some was spent', spent: 3_000, owed: 4_000, due: 1_000 },
    { about: 'after more was spent than is owed', spent: 5_000, owed: 4_000, due: 0 },
  ])('is settled $about', ({ spent, owed, due }) => {
    const settled = settle({ ...commitment, spentMilli: spent }, owed)

    expect(settled.delta).toEqual({ heldMilli: -10_000, spentMilli: due })
    expect(settled.commitment).toEqual({ ...commitment, heldMilli: 0, spentMilli: spent + due })
  })

  test('changes nothing when it is settled again', () => {
    const once = settle(commitment, 4_000)

    const twice = settle(once.commitment, 4_000)

    expect(twice).toEqual({ commitment: once.commitment, delta: { heldMilli: 0, spentMilli: 0 } })
  })

  test.each([
    {
      what: 'to be paid for no day',
      act: () => commit({ ...commitment, machine: 'x', paidTo: '2009-10-16' }),
    },
    { what: 'to hold less than nothing', act: () => commit({ ...commitment, machine: 'x', heldMilli: -1 }) },
    { what: 'to lose paid days', act: () => topUp(commitment, { heldMilli: 0, paidTo: '2009-10-29' }) },
    { what: 'to lose money', act: () => topUp(commitment, { heldMilli: -1, paidTo: '2009-10-30' }) },
    { what: 'to owe less than nothing', act: () => settle(commitment, -1) },
  ])('is asserted not $what', ({ act }) => {
    expect(act).toThrow(expect.objectContaining({ code: 'ERR_ASSERTION' }))
  })
})
