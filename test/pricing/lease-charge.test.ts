import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { focusCsv } from '../../pricing/focus.ts'
import { hoursBegun, leaseCharge, poolName } from '../../pricing/lease-charge.ts'
import { statement, talliesOf } from '../../pricing/statement.ts'
import { reversal } from '../../pricing/charge.ts'
import { plusMillis } from '../../src/base/clock.ts'
import { addDays, startOfDay } from '../../src/base/period.ts'
import { aTariff } from './builders.ts'
import { checkFocus } from './focus-check.ts'

const session = { lease: 'L-1', pool: 'public', user: 'carol', budget: 'T-2000' }
const tariffs = [aTariff({ perLeaseHourMilli: 50 })]

function dayIn(day: string, zone = 'Europe/Zurich') {
  return { from: startOfDay(day, zone), to: startOfDay(addDays(day, 1), zone) }
}

describe('hours that are begun', () => {
  const day = dayIn('2026-11-23', 'utc')
  test.each([
    ['nothing', '10:00:00.000', '10:00:00.000', 0],
    ['a moment', '10:00:00.000', '10:00:00.001', 1],
    ['an hour', '10:00:00.000', '11:00:00.000', 1],
    ['a moment more than an hour', '10:00:00.000', '11:00:00.001', 2],
    ['the last minutes of the day', '23:50:00.000', '23:59:59.999', 1],
  ])('%s', (_what, from, to, hours) => {
    expect(hoursBegun({ from: `2026-11-23T${from}Z`, to: `2026-11-23T${to}Z` }, day)).toBe(hours)
  })

  test('are the day’s on which they begin', () => {
    const use = { from: '2026-11-23T22:30:00.000Z', to: '2026-11-24T01:00:00.000Z' }

    const days = ['2026-11-22', '2026-11-23', '2026-11-24', '2026-11-25']

    expect(days.map((each) => hoursBegun(use, dayIn(each, 'utc')))).toEqual([0, 2, 1, 0])
  })

  test('are all there once, whatever the days are like', () => {
    const start = fc.integer({ min: 0, max: 6 * 86_400 })
    const length = fc.integer({ min: 0, max: 80 * 3600 })
    const zones = fc.constantFrom('Europe/Zurich', 'Australia/Lord_Howe', 'America/St_Johns')
    // The clocks of all of these change within the days that follow, one way or the other.
    const eves = fc.constantFrom('2026-10-23', '2026-03-27', '2026-10-02', '2026-04-03', '2026-03-06')
    fc.assert(
      fc.property(eves, zones, start, length, (eve, zone, offset, seconds) => {
        const from = plusMillis(`${eve}T00:00:00.000Z`, offset * 1000)
        const use = { from, to: plusMillis(from, seconds * 1000) }
        const days = Array.from({ length: 16 }, (_, n) => dayIn(addDays(eve, n - 1), zone))

        const hours = days.map((day) => hoursBegun(use, day))

        expect(hours.reduce((sum, each) => sum + each, 0)).toBe(Math.ceil(seconds / 3600))
        expect(Math.min(...hours)).toBeGreaterThanOrEqual(0)
        expect(Math.max(...hours)).toBeLessThanOrEqual(25)
      }),
    )
  })
})

describe('a session', () => {
  const threeHours = () => leaseCharge(session, { day: '2026-11-23', hours: 3 }, tariffs)

  test('is charged a row a day, under its own key, as of the day it is booked on', () => {
    expect(threeHours()).toEqual({
      ...{ id: 'L-1|2026-11-23|lease', at: '2026-11-23T00:00:00.000Z', day: '2026-11-23' },
      ...{ machine: 'pool public', ref: 'L-1', budget: 'T-2000', owner: 'carol' },
      ...{ component: 'lease', state: 'running', tariff: 'standard' },
      ...{ quantity: 3, unitMilli: 50, amountMilli: 150, reason: null },
    })
    const bookedFrom = (openFrom: string) =>
      leaseCharge(session, { day: '2026-11-23', hours: 1 }, tariffs, openFrom)?.at
    expect(bookedFrom('2026-12-01')).toBe('2026-12-01T00:00:00.000Z')
    expect(bookedFrom('2026-11-01')).toBe('2026-11-23T00:00:00.000Z')
  })

  test('costs nothing on a day without hours, and by a tariff without a price for it', () => {
    expect(leaseCharge(session, { day: '2026-11-23', hours: 0 }, tariffs)).toBeUndefined()
    expect(leaseCharge(session, { day: '2026-11-23', hours: 3 }, [aTariff()])).toBeUndefined()
  })

  test('goes by the tariff of each day', () => {
    const later = aTariff({ name: 'later', from: '2026-11-24', perLeaseHourMilli: 70 })

    const rows = ['2026-11-23', '2026-11-24'].map((day) =>
      leaseCharge(session, { day, hours: 2 }, [...tariffs, later]),
    )

    expect(rows.map((each) => [each?.tariff, each?.amountMilli])).toEqual([
      ['standard', 100],
      ['later', 140],
    ])
  })

  test('is stated with the others of its person in its pool, in hours', () => {
    const of = (lease: string, user: string, pool: string, hours: number, day = '2026-11-23') =>
      leaseCharge({ ...session, lease, user, pool }, { day, hours }, tariffs) ?? []
    const rows = [
      of('L-1', 'carol', 'public', 3),
      of('L-1', 'carol', 'public', 2, '2026-11-24'),
      of('L-2', 'carol', 'public', 1),
      of('L-3', 'alice', 'public', 4),
      of('L-4', 'carol', 'developers', 5),
    ].flat()
    const wrong = rows.find(({ ref }) => ref === 'L-2')
    if (wrong === undefined) throw new Error('there is a row')

    const made = statement(
      talliesOf([...rows, reversal(wrong, { day: '2026-11-25', reason: 'it was stuck' })]),
    )

    expect(
      made.lines.map(({ machine, owner, quantity, amountMilli, reason }) => [
        ...[machine, owner, quantity, amountMilli, reason],
      ]),
    ).toEqual([
      ['pool developers', 'carol', 5, 250, null],
      ['pool public', 'alice', 4, 200, null],
      ['pool public', 'carol', 6, 300, null],
      ['pool public', 'carol', -1, -50, 'it was stuck'],
    ])
    expect(made.machines.map(({ machine, owner, days, hours }) => [machine, owner, days, hours])).toEqual([
      ['pool developers', 'carol', 0, 5],
      ['pool public', 'alice', 0, 4],
      ['pool public', 'carol', 0, 5],
    ])
    expect([made.days, made.hours, made.totalMilli]).toEqual([0, 14, 700])
  })

  test('is a desktop in a FOCUS file, with hours that make its cost', () => {
    const row = threeHours()

    const [line] = checkFocus(
      focusCsv(row === undefined ? [] : [row], {
        ...{ site: 'CERN', budget: { code: 'T-2000', title: 'Office' }, month: '2026-11', currency: 'CHF' },
        billing: { from: '2026-10-31T23:00:00.000Z', to: '2026-11-30T23:00:00.000Z' },
        spanOf: (each) => dayIn(each),
      }),
    )

    expect(line).toMatchObject({
      ...{ ResourceId: 'L-1', ResourceName: poolName('public'), ResourceType: 'Virtual Desktop' },
      ...{ ServiceName: 'Virtual desktops', ServiceSubcategory: 'End User Computing' },
      ...{ PricingUnit: 'Hours', ConsumedUnit: 'Hours', PricingQuantity: '3', ListUnitPrice: '0.05' },
      ...{ BilledCost: '0.15', SkuMeter: 'Desktop hours' },
    })
  })
})
