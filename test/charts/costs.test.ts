import { describe, expect, test } from 'vitest'
import { formatMoney, milliOf } from '../../pricing/money.ts'
import { totalOf } from '../../src/charts/bars.ts'
import { besides, byMachine, costBars, type Costs, trimmed } from '../../src/charts/costs.ts'

type Row = [machine: string, charged: string, forecast: string]

/** Costs whose totals are those of these rows. */
function costs(months: Record<string, Row[]>): Costs {
  const views = Object.entries(months).map(([month, rows]) => ({
    month,
    ...added(rows),
    machines: rows.map(([machine, charged, forecast]) => ({ machine, charged, forecast })),
  }))
  return { currency: 'CHF', thisMonth: '2026-12', ...added(Object.values(months).flat()), months: views }
}

function added(rows: readonly Row[]): { charged: string; forecast: string } {
  const sum = (at: 1 | 2): string => formatMoney(rows.reduce((total, row) => total + milliOf(row[at]), 0))
  return { charged: sum(1), forecast: sum(2) }
}

const year = Array.from({ length: 12 }, (_, index) => `2026-${String(index + 1).padStart(2, '0')}`)

describe('costs that are shown', () => {
  test('begin with the first month that had any, but are never fewer than six months', () => {
    const some = costs(Object.fromEntries(year.map((month): [string, Row[]] => [month, []])))
    const long = costs({
      ...Object.fromEntries(year.map((month): [string, Row[]] => [month, []])),
      '2026-04': [['a', '1.00', '0.00']],
    })

    expect(trimmed(some).months.map(({ month }) => month)).toEqual(year.slice(6))
    expect(trimmed(long).months.map(({ month }) => month)).toEqual(year.slice(3))
  })

  test('end with this month or the last one in which something is to come', () => {
    const some = costs({
      '2026-12': [],
      '2027-01': [['a', '0.00', '1.00']],
      '2027-02': [],
    })

    expect(trimmed(some).months.map(({ month }) => month)).toEqual(['2026-12', '2027-01'])
  })

  test('of budgets side by side add up to those of all, and leave out what cost nothing', () => {
    const one = costs({ '2026-11': [['a', '1.005', '0.00']], '2026-12': [['a', '0.00', '2.00']] })
    const two = costs({ '2026-11': [['b', '3.00', '0.00']], '2026-12': [] })

    const both = besides([
      { code: 'T-1', costs: one },
      { code: 'T-2', costs: two },
    ])

    expect(both).toMatchObject({ charged: '4.005', forecast: '2.00' })
    expect(both?.months.map(({ machines }) => machines.map(({ machine }) => machine))).toEqual([
      ['T-1', 'T-2'],
      ['T-1'],
    ])
    expect(besides([])).toBeUndefined()
  })
})

describe('the chart of costs', () => {
  const many = costs({
    '2026-11': ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name, index): Row => [
      name,
      `${index + 1}.00`,
      '0.50',
    ]),
  })

  test('tells the dearest apart and draws the rest as one, without losing any of it', () => {
    const bars = costBars(many, 'T-1042')

    expect(bars.series).toEqual(['h', 'g', 'f', 'e', 'd', 'others'])
    expect(bars.bars[0]?.facts).toEqual([8_000, 7_000, 6_000, 5_000, 4_000, 6_000])
    expect(bars.bars.map(totalOf)).toEqual([40_000])
    expect(byMachine(many)).toHaveLength(8)
  })

  test('says the same in words', () => {
    const bars = costBars(
      costs({
        '2026-11': [['a', '7.68', '0.00']],
        '2026-12': [['a', '1.92', '9.60']],
        '2027-01': [],
        '2027-02': [['a', '0.00', '1.00']],
      }),
      'T-1042',
    )

    expect(bars.alt).toBe(
      'Costs of T-1042 by month in CHF: 7.68 charged in November 2026, 1.92 charged and 9.60 to come in December 2026 and 1.00 to come in February 2027.',
    )
    expect(costBars(costs({}), 'T-1042').alt).toBe('Costs of T-1042 by month in CHF: nothing at all.')
  })
})
