import { describe, expect, test } from 'vitest'
import {
  accountDeltas,
  commit,
  daysToCharge,
  draw,
  dueKey,
  gathered,
  heldMilli,
  holdsFor,
} from '../../pricing/commitment.ts'
import { aTariff } from './builders.ts'

const commitment = commit({
  ...{ id: 'webafs20', ref: 'vm-1', budget: 'T-1042', openEnded: false },
  ...{ createdDay: '2009-10-16', paidTo: '2009-10-30' },
})

test('a commitment begins with nothing held, charged or spent, and free days from its creation', () => {
  expect(commitment).toMatchObject({
    ...{ freeFrom: '2009-10-16', chargedTo: '2009-10-16', holds: [], spentMilli: 0, endedOn: null },
  })
})

test('a commitment for no day is our own mistake', () => {
  expect(() => commit({ ...commitment, paidTo: '2009-10-16' })).toThrow(
    'a machine is paid for its first day at least',
  )
})

describe('the days to charge', () => {
  test.each([
    { about: 'up to today', change: {}, before: '2009-10-20', to: '2009-10-20' },
    { about: 'to what it is paid to', change: {}, before: '2009-11-20', to: '2009-10-30' },
    {
      about: 'beyond that without an end',
      change: { openEnded: true },
      before: '2009-11-20',
      to: '2009-11-20',
    },
    {
      about: 'to the day it was gone, with it',
      change: { endedOn: '2009-10-18' },
      before: '2009-11-20',
      to: '2009-10-19',
    },
    { about: 'none that are to come', change: {}, before: '2009-10-01', to: '2009-10-16' },
  ])('are $about', ({ change, before, to }) => {
    expect(daysToCharge({ ...commitment, ...change }, before)).toEqual({ from: '2009-10-16', to })
  })

  test.each([
    { about: 'waits for its first day', change: {}, key: '2009-10-16' },
    {
      about: 'waits for nothing when it is charged to its end',
      change: { chargedTo: '2009-10-30' },
      key: null,
    },
    {
      about: 'always waits without an end',
      change: { chargedTo: '2009-10-30', openEnded: true },
      key: '2009-10-30',
    },
    { about: 'waits for nothing once it is gone', change: { endedOn: '2009-10-18' }, key: null },
  ])('a machine $about', ({ change, key }) => {
    expect(dueKey({ ...commitment, ...change })).toBe(key)
  })
})

describe('what is held', () => {
  test('stands on the account of each period', () => {
    const size = { cpus: 1, memoryGb: 1 }
    const order = { size, count: 2, createdDay: '2009-12-30', from: '2009-12-30', to: '2010-01-02' }

    const holds = holdsFor(order, { code: 'T-1042', period: 'year' }, [aTariff({ freeDays: 0 })])

    expect(holds).toEqual([
      { account: 'T-1042|2009', milli: 2 * 2 * 960 },
      { account: 'T-1042|2010', milli: 2 * 960 },
    ])
  })

  test('is drawn by what is charged, never below nothing, while all of it is spent', () => {
    const held = { ...commitment, holds: [{ account: 'T-1042', milli: 1_000 }] }

    const once = draw(held, [{ account: 'T-1042', milli: 960 }])
    const twice = draw(once, [{ account: 'T-1042', milli: 960 }])

    expect([heldMilli(once), once.spentMilli]).toEqual([40, 960])
    expect([heldMilli(twice), twice.spentMilli]).toEqual([0, 1_920])
  })

  test('on one account is one entry, and nothing is none', () => {
    const holds = [
      { account: 'a', milli: 1 },
      { account: 'b', milli: 0 },
      { account: 'a', milli: 2 },
    ]

    expect(gathered(holds)).toEqual([{ account: 'a', milli: 3 }])
  })

  test('changes accounts by the difference, and by what was charged', () => {
    const before = [
      { account: 'a', milli: 5 },
      { account: 'b', milli: 1 },
    ]
    const after = [
      { account: 'a', milli: 3 },
      { account: 'b', milli: 1 },
    ]

    const deltas = accountDeltas(before, after, [{ account: 'a', milli: 2 }])

    expect([...deltas]).toEqual([['a', { heldMilli: -2, spentMilli: 2 }]])
  })
})

test('accounts on which nothing changes are left alone', () => {
  const same = { account: 'T-1042', milli: 5 }

  const held = accountDeltas([same], [same, { account: 'T-2000', milli: 1 }], [])
  const spent = accountDeltas([same], [same], [{ account: 'T-3000', milli: 2 }])

  expect([...held]).toEqual([['T-2000', { heldMilli: 1, spentMilli: 0 }]])
  expect([...spent]).toEqual([['T-3000', { heldMilli: 0, spentMilli: 2 }]])
})
