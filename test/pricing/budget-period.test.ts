import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  accountId,
  type BudgetPeriod,
  byAccount,
  daysOfMonth,
  monthAfter,
  monthBefore,
  periodEnd,
} from '../../pricing/budget-period.ts'
import { dayNumber, dayText } from './model.ts'

test.each([
  { period: 'total', day: '2026-11-23', account: 'T-1042', end: null },
  { period: 'year', day: '2026-11-23', account: 'T-1042|2026', end: '2027-01-01' },
  { period: 'quarter', day: '2026-11-23', account: 'T-1042|2026-Q4', end: '2027-01-01' },
  { period: 'quarter', day: '2026-01-01', account: 'T-1042|2026-Q1', end: '2026-04-01' },
  { period: 'quarter', day: '2026-06-30', account: 'T-1042|2026-Q2', end: '2026-07-01' },
  { period: 'month', day: '2026-12-31', account: 'T-1042|2026-12', end: '2027-01-01' },
  { period: 'month', day: '2028-02-29', account: 'T-1042|2028-02', end: '2028-03-01' },
] as const)(
  '$day lies in the $period of $account, which ends before $end',
  ({ period, day, account, end }) => {
    expect(accountId({ code: 'T-1042', period }, day)).toBe(account)
    expect(periodEnd(period, day)).toBe(end)
  },
)

test('a month has its days, and one before and after it', () => {
  expect(daysOfMonth('2026-12')).toEqual({ from: '2026-12-01', to: '2027-01-01' })
  expect([monthBefore('2026-01'), monthAfter('2026-12')]).toEqual(['2025-12', '2027-01'])
})

test('a term falls into parts without gap or overlap, each day on the account of its own period', () => {
  const days = fc.integer({ min: dayNumber('2024-01-01'), max: dayNumber('2029-01-01') })
  const periods = fc.constantFrom<BudgetPeriod>('total', 'year', 'quarter', 'month')
  fc.assert(
    fc.property(periods, days, fc.integer({ min: 0, max: 800 }), (period, first, length) => {
      const budget = { code: 'T-1042', period }
      const term = { from: dayText(first), to: dayText(first + length) }

      const parts = byAccount(term, budget)

      const covered = parts.flatMap(({ from, to, account }) =>
        Array.from({ length: dayNumber(to) - dayNumber(from) }, (_, n) => [
          dayText(dayNumber(from) + n),
          account,
        ]),
      )
      expect(covered).toEqual(
        Array.from({ length }, (_, n) => [dayText(first + n), accountId(budget, dayText(first + n))]),
      )
    }),
  )
})
