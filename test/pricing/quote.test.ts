import { describe, expect, test } from 'vitest'
import { chargedTerm, extensionOrder, type Order, quote, together } from '../../pricing/quote.ts'
import { addDays } from '../../src/base/period.ts'
import { aTariff } from './builders.ts'

function anOrder(changes: Partial<Order> = {}): Order {
  return {
    size: { cpus: 1, memoryGb: 1 },
    count: 1,
    createdDay: '2009-10-16',
    from: '2009-10-16',
    to: '2009-10-30',
    ...changes,
  }
}

function forDays(days: number, changes: Partial<Order> = {}): Order {
  return anOrder({ to: addDays('2009-10-16', days), ...changes })
}

describe('the price list of 2009', () => {
  test.each([
    { days: 14, memoryGb: 1, cpus: 1, all: 0, base: 0 },
    { days: 31, memoryGb: 1, cpus: 1, all: 0, base: 0 },
    { days: 32, memoryGb: 1, cpus: 1, all: 960, base: 960 },
    { days: 31, memoryGb: 2, cpus: 1, all: 0, base: 21_235 },
    { days: 31, memoryGb: 4, cpus: 2, all: 0, base: 84_940 },
    { days: 60, memoryGb: 4, cpus: 2, all: 107_300, base: 192_240 },
    { days: 365, memoryGb: 1, cpus: 1, all: 320_640, base: 320_640 },
    { days: 365, memoryGb: 2, cpus: 2, all: 778_220, base: 820_690 },
    { days: 366, memoryGb: 4, cpus: 2, all: 1_239_500, base: 1_324_440 },
  ])('$days days of $memoryGb GB and $cpus CPU cost $all, or $base when only the base is free', (row) => {
    const order = forDays(row.days, { size: { cpus: row.cpus, memoryGb: row.memoryGb } })

    const free = quote(order, [aTariff({ freeDaysCover: 'all' })])
    const baseFree = quote(order, [aTariff({ freeDaysCover: 'base' })])

    expect(free.totalMilli).toBe(row.all)
    expect(baseFree.totalMilli).toBe(row.base)
    expect(free.chargeableDays).toBe(Math.max(0, row.days - 31))
    expect(baseFree.chargeableDays).toBe(Math.max(0, row.days - 31))
  })

  test.each([
    { days: 30, total: 0 },
    { days: 31, total: 0 },
    { days: 32, total: 19_200 },
  ])('twenty machines for $days days cost $total', ({ days, total }) => {
    const priced = quote(forDays(days, { count: 20 }), [aTariff()])

    expect(priced.totalMilli).toBe(total)
    expect(priced.perDayMilli).toBe(19_200)
  })

  test('from 16 to 30 October 2009 is 14 days, all of them free and shown', () => {
    const priced = quote(anOrder({ from: '2009-10-16', to: '2009-10-30' }), [aTariff()])

    expect(priced).toEqual({
      totalMilli: 0,
      days: 14,
      freeDays: 14,
      chargeableDays: 0,
      perDayMilli: 960,
      lines: [{ item: 'free', quantity: 1, unitMilli: 0, days: 14, amountMilli: 0 }],
    })
  })
})

describe('the lines of a quote', () => {
  test('show base, memory, CPU and free days when free days cover everything', () => {
    const order = forDays(60, { size: { cpus: 2, memoryGb: 4 }, count: 3 })

    const priced = quote(order, [aTariff()])

    expect(priced.lines).toEqual([
      { item: 'base', quantity: 3, unitMilli: 960, days: 29, amountMilli: 83_520 },
      { item: 'memory', quantity: 9, unitMilli: 685, days: 29, amountMilli: 178_785 },
      { item: 'cpu', quantity: 3, unitMilli: 685, days: 29, amountMilli: 59_595 },
      { item: 'free', quantity: 3, unitMilli: 0, days: 31, amountMilli: 0 },
    ])
  })

  test('count memory and CPUs from the first day when free days cover the base only', () => {
    const order = forDays(60, { size: { cpus: 2, memoryGb: 4 } })

    const priced = quote(order, [aTariff({ freeDaysCover: 'base' })])

    expect(priced.lines).toEqual([
      { item: 'base', quantity: 1, unitMilli: 960, days: 29, amountMilli: 27_840 },
      { item: 'memory', quantity: 3, unitMilli: 685, days: 60, amountMilli: 123_300 },
      { item: 'cpu', quantity: 1, unitMilli: 685, days: 60, amountMilli: 41_100 },
      { item: 'free', quantity: 1, unitMilli: 0, days: 31, amountMilli: 0 },
    ])
  })

  test('leave out memory and CPUs when a machine has one of each', () => {
    const priced = quote(forDays(40), [aTariff()])

    expect(priced.lines.map((line) => line.item)).toEqual(['base', 'free'])
  })

  test('leave out free days when the tariff has none', () => {
    const priced = quote(forDays(40), [aTariff({ freeDays: 0 })])

    expect(priced.lines.map((line) => line.item)).toEqual(['base'])
    expect(priced).toMatchObject({ freeDays: 0, chargeableDays: 40, totalMilli: 38_400 })
  })

  test('keep a component that costs nothing by the tariff', () => {
    const priced = quote(forDays(2), [aTariff({ freeDays: 0, baseMilli: 0 })])

    expect(priced.lines).toEqual([{ item: 'base', quantity: 1, unitMilli: 0, days: 2, amountMilli: 0 }])
  })
})

describe('a change of price within a term', () => {
  const tariffs = [
    aTariff({ freeDays: 10 }),
    aTariff({ name: 'dearer', from: '2009-11-01', freeDays: 20, baseMilli: 2_000 }),
  ]

  test('makes one set of lines for each tariff and shows the later price per day', () => {
    const priced = quote(anOrder({ to: '2009-11-10' }), tariffs)

    expect(priced).toEqual({
      totalMilli: 6 * 960 + 5 * 2_000,
      days: 25,
      freeDays: 14,
      chargeableDays: 11,
      perDayMilli: 2_000,
      lines: [
        { item: 'base', quantity: 1, unitMilli: 960, days: 6, amountMilli: 5_760 },
        { item: 'free', quantity: 1, unitMilli: 0, days: 10, amountMilli: 0 },
        { item: 'base', quantity: 1, unitMilli: 2_000, days: 5, amountMilli: 10_000 },
        { item: 'free', quantity: 1, unitMilli: 0, days: 4, amountMilli: 0 },
      ],
    })
  })

  test('does not show in a term that ends the day before', () => {
    const priced = quote(anOrder({ to: '2009-11-01' }), tariffs)

    expect(priced).toMatchObject({ totalMilli: 6 * 960, perDayMilli: 960 })
  })

  test('shows the price of its day also where there is nothing to pay', () => {
    const order = anOrder({ createdDay: '2009-10-16', from: '2009-12-30', to: '2009-12-30' })

    const priced = quote(order, tariffs)

    expect(priced).toMatchObject({ days: 0, totalMilli: 0, perDayMilli: 2_000 })
  })

  test('does not depend on the order in which tariffs are listed', () => {
    const order = anOrder({ to: '2009-12-24' })

    const priced = quote(order, tariffs.toReversed())

    expect(priced).toEqual(quote(order, tariffs))
  })
})

describe('more time for a machine', () => {
  test('does not renew its free days', () => {
    const order = anOrder({ createdDay: '2009-10-16', from: '2009-11-10', to: '2009-11-20' })

    const priced = quote(order, [aTariff()])

    expect(priced).toMatchObject({ days: 10, freeDays: 6, chargeableDays: 4, totalMilli: 3_840 })
  })

  test('has no free days once they are used up', () => {
    const order = anOrder({ createdDay: '2009-10-16', from: '2010-10-16', to: '2010-10-26' })

    const priced = quote(order, [aTariff()])

    expect(priced).toMatchObject({ days: 10, freeDays: 0, totalMilli: 9_600 })
  })

  test('within a day that is paid already costs nothing', () => {
    const order = anOrder({ createdDay: '2009-10-16', from: '2009-12-30', to: '2009-12-30' })

    const priced = quote(order, [aTariff()])

    expect(priced).toEqual({
      totalMilli: 0,
      days: 0,
      freeDays: 0,
      chargeableDays: 0,
      perDayMilli: 960,
      lines: [],
    })
  })

  test('starts where the machine is paid to, so that its only day is not paid twice', () => {
    const machine = { size: { cpus: 1, memoryGb: 1 }, createdDay: '2009-10-16', paidTo: '2009-10-17' }
    const tariffs = [aTariff({ freeDays: 0 })]

    const sameDay = quote(extensionOrder(machine, '2009-10-16'), tariffs)
    const nextDay = quote(extensionOrder(machine, '2009-10-17'), tariffs)
    const dayAfter = quote(extensionOrder(machine, '2009-10-18'), tariffs)

    expect([sameDay, nextDay, dayAfter].map((priced) => priced.totalMilli)).toEqual([0, 0, 960])
  })

  test.each([
    { about: 'before', paidTo: '2009-10-01' },
    { about: 'on', paidTo: '2009-10-16' },
  ])('starts on the day a machine was taken over when it had ended $about it', ({ paidTo }) => {
    const machine = { size: { cpus: 1, memoryGb: 1 }, createdDay: '2009-10-16', paidTo }
    const tariffs = [aTariff({ freeDays: 0 })]

    const sameDay = quote(extensionOrder(machine, '2009-10-16'), tariffs)
    const later = quote(extensionOrder(machine, '2009-10-20'), tariffs)

    expect([sameDay.totalMilli, later.totalMilli]).toEqual([960, 4 * 960])
  })
})

describe('a new machine', () => {
  test('that ends on the day it is made is charged for that day', () => {
    const order = anOrder({ to: '2009-10-16' })

    const priced = quote(order, [aTariff({ freeDays: 0 })])

    expect(priced).toMatchObject({ days: 1, totalMilli: 960 })
    expect(chargedTerm(order)).toEqual({ from: '2009-10-16', to: '2009-10-17' })
  })

  test('that ends the day after is charged for one day too', () => {
    const priced = quote(anOrder({ to: '2009-10-17' }), [aTariff({ freeDays: 0 })])

    expect(priced.days).toBe(1)
  })
})

describe('memory that is no whole number of GB', () => {
  test.each([
    { memoryGb: 0.5, quantity: undefined, dayMilli: 960 },
    { memoryGb: 1.001, quantity: 0.001, dayMilli: 961 },
    { memoryGb: 1.1, quantity: 0.1, dayMilli: 1_029 }, // 68.5, half up
    { memoryGb: 1.5, quantity: 0.5, dayMilli: 1_303 }, // 342.5, half up
    { memoryGb: 2.25, quantity: 1.25, dayMilli: 1_816 }, // 856.25
  ])('is rounded once for each machine and day: $memoryGb GB is $dayMilli', (row) => {
    const order = forDays(7, { size: { cpus: 1, memoryGb: row.memoryGb } })

    const priced = quote(order, [aTariff({ freeDays: 0 })])

    expect(priced.totalMilli).toBe(7 * row.dayMilli)
    expect(priced.lines.find((line) => line.item === 'memory')?.quantity).toBe(row.quantity)
  })

  test('is counted for all machines together without the dust of floating point', () => {
    const order = forDays(1, { size: { cpus: 1, memoryGb: 1.1 }, count: 3 })

    const priced = quote(order, [aTariff({ freeDays: 0 })])

    expect(priced.lines[1]).toEqual({
      item: 'memory',
      quantity: 0.3,
      unitMilli: 685,
      days: 1,
      amountMilli: 207,
    })
  })
})

test('a million days are priced in less than a second, since no day is visited', { timeout: 1_000 }, () => {
  const order = forDays(1_000_000, { size: { cpus: 4, memoryGb: 32 } })

  const priced = quote(order, [aTariff()])

  expect(priced.totalMilli).toBe((1_000_000 - 31) * (960 + 31 * 685 + 3 * 685))
})

test.each([
  { fault: { count: 0 }, says: 'one machine or more' },
  { fault: { count: 1.5 }, says: 'one machine or more' },
  { fault: { to: '2009-10-15' }, says: 'does not end before it starts' },
  { fault: { createdDay: '2009-10-17' }, says: 'before a machine exists' },
  { fault: { size: { cpus: 1.5, memoryGb: 1 } }, says: 'whole number of CPUs' },
  { fault: { size: { cpus: 1, memoryGb: Number.NaN } }, says: 'safe whole number' },
  { fault: { count: 2 ** 45 }, says: 'safe whole number' },
])('an order that cannot be is our own mistake: $fault', ({ fault, says }) => {
  expect(() => quote(anOrder({ to: '2009-12-24', ...fault }), [aTariff()])).toThrow(says)
})

test('a site without tariffs is our own mistake', () => {
  expect(() => quote(anOrder(), [])).toThrow('at least one tariff')
})

describe('machines that are priced apart, as their free days are counted from different days', () => {
  const fresh = quote(forDays(40, { count: 2 }), [aTariff()])
  const old = quote(forDays(40, { freeFrom: '2009-10-06' }), [aTariff()])

  test('make one quote, which promises the fewest free days', () => {
    const both = together([fresh, old])

    expect(both).toEqual({
      totalMilli: 2 * 9 * 960 + 19 * 960,
      days: 40,
      freeDays: 21,
      chargeableDays: 19,
      perDayMilli: 3 * 960,
      lines: [...fresh.lines, ...old.lines],
    })
  })

  test('are as they were when there is one kind of them', () => {
    expect(together([fresh])).toEqual(fresh)
  })

  test('are some at least', () => {
    expect(() => together([])).toThrow('something is priced')
  })
})
