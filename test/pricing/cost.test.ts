import { expect, test } from 'vitest'
import { costToDate, fullPerDayMilli } from '../../pricing/cost.ts'
import { aTariff } from './builders.ts'

const small = { cpus: 1, memoryGb: 1 }
const paidFromTheStart = [aTariff({ freeDays: 0 })]

test.each([
  { about: 'the day before it was made', today: '2009-10-15', cost: 0 },
  { about: 'the day it was made', today: '2009-10-16', cost: 960 },
  { about: 'the day after', today: '2009-10-17', cost: 1_920 },
  { about: 'the day before its end', today: '2009-10-29', endedDay: '2009-10-30', cost: 14 * 960 },
  { about: 'the day of its end', today: '2009-10-30', endedDay: '2009-10-30', cost: 14 * 960 },
  { about: 'a month after its end', today: '2009-11-30', endedDay: '2009-10-30', cost: 14 * 960 },
  { about: 'a day when it has no end', today: '2009-10-30', endedDay: null, cost: 15 * 960 },
  { about: 'the day it was made and ended', today: '2009-10-16', endedDay: '2009-10-16', cost: 960 },
  {
    about: 'a day when its end lies before it was taken over',
    today: '2009-10-18',
    endedDay: '2009-10-01',
    cost: 960,
  },
])('a machine made on 16 October has cost $cost on $about', ({ today, endedDay, cost }) => {
  const life = {
    size: small,
    createdDay: '2009-10-16',
    today,
    ...(endedDay === undefined ? {} : { endedDay }),
  }

  expect(costToDate(life, paidFromTheStart)).toBe(cost)
})

test('free days cost nothing to date either', () => {
  const life = { size: { cpus: 2, memoryGb: 4 }, createdDay: '2009-10-01' }

  const lastFreeDay = costToDate({ ...life, today: '2009-10-31' }, [aTariff()])
  const firstPaidDay = costToDate({ ...life, today: '2009-11-01' }, [aTariff()])

  expect([lastFreeDay, firstPaidDay]).toEqual([0, 960 + 4 * 685])
})

test('the fourteen machines of the 2009 list cost 23.715 a day at full price', () => {
  const sizes = [
    ...Array.from({ length: 7 }, () => ({ cpus: 1, memoryGb: 1 })),
    ...Array.from({ length: 5 }, () => ({ cpus: 2, memoryGb: 2 })),
    { cpus: 1, memoryGb: 2 },
    { cpus: 2, memoryGb: 4 },
  ]

  const perDay = sizes.map((size) => fullPerDayMilli(size, [aTariff()], '2009-10-16'))

  expect(perDay.reduce((a, b) => a + b)).toBe(23_715)
})

test('the full price of a day goes by the tariff of that day', () => {
  const tariffs = [aTariff(), aTariff({ name: 'dearer', from: '2010-01-01', baseMilli: 1_000 })]

  const prices = ['2008-12-31', '2009-12-31', '2010-01-01'].map((day) => fullPerDayMilli(small, tariffs, day))

  expect(prices).toEqual([960, 960, 1_000])
})
