import { expect, test } from 'vitest'
import { fullPerDayMilli } from '../../pricing/cost.ts'
import { aTariff } from './builders.ts'

const small = { cpus: 1, memoryGb: 1 }
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
