import type { LocalDay } from '../src/base/period.ts'
import { type Tariff, tariffOn, type Term } from './tariff.ts'

/** Days that go by the tariff of another day, since that was promised for them. */
export interface Promised extends Term {
  asOf: LocalDay
}

/** The tariffs as they are for a machine that was promised prices: on promised days those of the day of the promise. */
export function tariffsPromised(tariffs: readonly Tariff[], promised: readonly Promised[]): Tariff[] {
  return promised.reduce<Tariff[]>(
    (list, { from, to, asOf }) => {
      if (from >= to) return list
      const outside = list.filter((tariff) => tariff.from < from || tariff.from >= to)
      return [...outside, { ...tariffOn(asOf, tariffs), from }, { ...tariffOn(to, list), from: to }]
    },
    [...tariffs],
  )
}
