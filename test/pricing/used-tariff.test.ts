import { expect, test } from 'vitest'
import type { Tariff } from '../../pricing/tariff.ts'
import { changedTariffs, usedTariff } from '../../pricing/used-tariff.ts'
import { aTariff } from './builders.ts'

const used = [usedTariff(aTariff())]

test('a used tariff is as it was, in whatever order it is written and whatever stands beside it', () => {
  const { name, ...rest } = aTariff()

  const changed = changedTariffs(used, [aTariff({ from: '2008-01-01' }), { ...rest, name }])

  expect(changed).toEqual([])
})

test.each<[string, Partial<Tariff>]>([
  ['the base price', { baseMilli: 961 }],
  ['the price of a GB', { perGbMilli: 0 }],
  ['the price of a CPU', { perCpuMilli: 684 }],
  ['the free days', { freeDays: 30 }],
  ['what they cover', { freeDaysCover: 'base' }],
  ['when they begin again', { freeAgainAfter: { months: 1, days: 0, millis: 0 } }],
  ['a price of resting', { saved: { baseMilli: 0 } }],
])('a used tariff that has another %s is named with its place', (_, change) => {
  const changed = changedTariffs(used, [aTariff({ name: 'first', from: '2008-01-01' }), aTariff(change)])

  expect(changed).toEqual([{ name: 'standard', from: '2009-01-01', index: 1 }])
})

test.each<[string, Tariff[]]>([
  ['has another name', [aTariff({ name: 'other' })]],
  ['has another first day', [aTariff({ from: '2009-01-02' })]],
  ['is gone', []],
])('a used tariff that %s is missed', (_, tariffs) => {
  expect(changedTariffs(used, tariffs)).toEqual([{ name: 'standard', from: '2009-01-01', index: null }])
})
