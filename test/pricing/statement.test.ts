import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Charge, chargesFor, reversal, sumOf } from '../../pricing/charge.ts'
import { csv } from '../../pricing/csv.ts'
import { focusCsv } from '../../pricing/focus.ts'
import { statement, talliesOf, toHundredths } from '../../pricing/statement.ts'
import { tallied, tallyId } from '../../pricing/tally.ts'
import { addDays } from '../../src/base/period.ts'
import { aTariff } from './builders.ts'
import { checkFocus } from './focus-check.ts'

const tariffs = [aTariff({ freeDays: 2 })]

/** Rows of a machine for days from 1 November on. */
function rowsOf(machine: string, days: number, cpus: (n: number) => number = () => 1): Charge[] {
  return Array.from({ length: days }, (_, n) => addDays('2026-11-01', n)).flatMap((day, n) =>
    chargesFor(
      { machine, ref: `vm-${machine}`, freeFrom: '2026-11-01' },
      { day, state: 'running', cpus: cpus(n), memoryGb: 1, budget: 'T-1042', owner: 'alice' },
      tariffs,
    ),
  )
}

describe('a statement', () => {
  test('has a line for each machine, component and size, with its days and the free ones', () => {
    const rows = [...rowsOf('web2', 3), ...rowsOf('web1', 10, (n) => (n < 5 ? 1 : 3))]

    const { lines, machines, ...totals } = statement(talliesOf(rows))

    expect(
      lines.map(({ machine, component, quantity, days, amountMilli }) => [
        ...[machine, component, quantity, days, amountMilli],
      ]),
    ).toEqual([
      ['web1', 'base', 1, 8, 7_680],
      ['web1', 'cpu', 2, 5, 6_850],
      ['web1', 'free', 1, 2, 0],
      ['web2', 'base', 1, 1, 960],
      ['web2', 'free', 1, 2, 0],
    ])
    expect(machines).toMatchObject([
      { machine: 'web1', days: 10, freeDays: 2, totalMilli: 14_530 },
      { machine: 'web2', days: 3, freeDays: 2, totalMilli: 960 },
    ])
    expect(totals).toEqual({ days: 13, freeDays: 4, hours: 0, totalMilli: 15_490, roundedMilli: 15_490 })
  })

  test('shows what was taken back on lines of their own, with the reason', () => {
    const rows = rowsOf('web1', 4)
    const back = rows
      .filter(({ day }) => day === '2026-11-04')
      .map((row) => reversal(row, { day: '2026-11-20', reason: 'the host was down' }))

    const { lines, machines } = statement(talliesOf([...rows, ...back]))

    expect(
      lines.map(({ component, days, amountMilli, reason }) => [component, days, amountMilli, reason]),
    ).toEqual([
      ['base', 2, 1_920, null],
      ['free', 2, 0, null],
      ['base', 1, -960, 'the host was down'],
    ])
    expect(machines).toMatchObject([{ days: 3, totalMilli: 960 }])
  })

  test('of nothing is nothing', () => {
    expect(statement([])).toMatchObject({ lines: [], totalMilli: 0, roundedMilli: 0 })
  })

  test('sums up its rows to the milli-unit, in whatever order and portions they were counted', () => {
    const lives = fc.array(
      fc.record({
        days: fc.integer({ min: 1, max: 30 }),
        cpus: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 30, maxLength: 30 }),
      }),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(lives, fc.integer({ min: 1, max: 7 }), (lives, portion) => {
        const rows = lives.flatMap(({ days, cpus }, n) => rowsOf(`web${n}`, days, (day) => cpus[day] ?? 1))

        const kept = new Map<string, ReturnType<typeof tallied>>()
        for (let from = 0; from < rows.length; from += portion) {
          for (const row of rows.slice(from, from + portion)) {
            kept.set(tallyId(row), tallied(kept.get(tallyId(row)), [row]))
          }
        }
        const made = statement([...kept.values()])

        const exact = rows.reduce((sum, row) => sum + BigInt(row.amountMilli), 0n)
        expect(BigInt(made.totalMilli)).toBe(exact)
        expect(BigInt(sumOf(made.lines))).toBe(exact)
        expect(made).toEqual(statement(talliesOf(rows.toReversed())))
        expect(made.days).toBe(lives.reduce((sum, { days }) => sum + days, 0))
      }),
      { numRuns: 60 },
    )
  })
})

test.each([
  [0, 0],
  [4, 0],
  [5, 10],
  [23_715, 23_720],
  [-4, 0],
  [-5, -10],
  [-23_714, -23_710],
])('%d thousandths are %d in whole hundredths', (exact, rounded) => {
  expect(toHundredths(exact) + 0).toBe(rounded)
})

test('only machines of one budget and month are counted together', () => {
  const [one] = rowsOf('web1', 1)
  const [other] = rowsOf('web2', 1)
  if (one === undefined || other === undefined) throw new Error('there are rows')

  expect(() => tallied(tallied(undefined, [one]), [other])).toThrow(
    expect.objectContaining({ code: 'ERR_ASSERTION' }),
  )
})

describe('CSV', () => {
  test('quotes what has to be quoted and ends its lines as RFC 4180 says', () => {
    expect(
      csv([
        ['a', 'b "c", d'],
        [1.5, null],
      ]),
    ).toBe('a,"b ""c"", d"\r\n1.5,\r\n')
  })

  test.each(['=1+1', '+1-1', '-cmd', '@sum', '\tx'])('defuses %j for spreadsheets', (text) => {
    expect(csv([[text]])).toBe(`'${text}\r\n`)
  })

  test('leaves amounts below zero as they are', () => {
    expect(csv([['-0.96', -1]])).toBe('-0.96,-1\r\n')
  })
})

describe('FOCUS', () => {
  const facts = {
    site: 'CERN Virtual Infrastructure',
    budget: { code: 'T-1042', title: 'Detector controls' },
    month: '2026-11',
    currency: 'CHF',
    billing: { from: '2026-10-31T23:00:00.000Z', to: '2026-11-30T23:00:00.000Z' },
    spanOf: (day: string) => ({
      from: `${addDays(day, -1)}T23:00:00.000Z`,
      to: `${day}T23:00:00.000Z`,
    }),
  }

  test('has every mandatory column of 1.2 with values that it allows, and costs that add up', () => {
    const rows = rowsOf('web1', 10, (n) => n + 1)

    const table = checkFocus(focusCsv(rows, facts))

    expect(table).toHaveLength(rows.length)
    const billed = table.reduce((sum, row) => sum + Math.round(Number(row['BilledCost']) * 1000), 0)
    expect(billed).toBe(sumOf(rows))
    expect(table[0]).toMatchObject({
      ResourceName: 'web1',
      ChargePeriodStart: '2026-10-31T23:00:00Z',
      ChargePeriodEnd: '2026-11-01T23:00:00Z',
      ListCost: '0.00',
    })
  })

  test('calls a correction one when it is for a month that was billed before', () => {
    const [, , row] = rowsOf('web1', 3)
    if (row === undefined) throw new Error('there is a row')
    const same = reversal(row, { day: '2026-11-20', reason: 'the host was down' })
    const later = reversal(row, { day: '2026-12-20', reason: 'the host was down' })

    const table = checkFocus(focusCsv([row, same, later], facts))

    expect(table.map((line) => [line['ChargeClass'], line['BilledCost']])).toEqual([
      ['', '0.96'],
      ['', '-0.96'],
      ['Correction', '-0.96'],
    ])
  })
})
