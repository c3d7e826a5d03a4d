import { assert } from '../src/base/errors.ts'
import { addDays, daysBetween, type LocalDay } from '../src/base/period.ts'
import type { Milli } from './money.ts'
import { dayPrice, type Occupation, ratesFor, type Size, type Tariff, tariffOn } from './tariff.ts'

/** A machine whose costs could stop or shrink, as far as money cares. */
export interface Stake {
  size: Size
  /** How much of it there is now. */
  state: Occupation
  today: LocalDay
  /** The day that its free days are counted from. */
  freeFrom: LocalDay
  /** What is held for all of its days that are not charged yet, and what those up to today will take of that. */
  heldMilli: Milli
  dueMilli: Milli
}

export interface Saving {
  /** How much less a day costs from tomorrow on, by today's tariff and once no day is free. */
  perDayMilli: Milli
  /** Days after today that are still free: until then there is less to save. */
  freeDays: number
  /** What comes back to the budget at once. */
  backMilli: Milli
}

/**
 * What is saved by putting a machine to rest, in `saved` or `archived`, or by its end. Today is charged in any case, so
 * only the days after it count. What a rest saves stays held, and comes back day by day; after an end nothing is held.
 */
export function savingBy(
  to: 'saved' | 'archived' | 'gone',
  stake: Stake,
  tariffs: readonly Tariff[],
): Saving {
  const { size, state, today, freeFrom, heldMilli, dueMilli } = stake
  assert(freeFrom <= today, 'free days are counted from a day that has begun')
  const tariff = tariffOn(today, tariffs)
  const now = priceOf(size, state, tariff)
  const then = to === 'gone' ? 0 : priceOf(size, to, tariff)
  return {
    perDayMilli: now - then,
    freeDays: Math.max(0, tariff.freeDays - daysBetween({ from: freeFrom, to: addDays(today, 1) })),
    backMilli: to === 'gone' ? Math.max(0, heldMilli - dueMilli) : 0,
  }
}

function priceOf(size: Size, state: Occupation, tariff: Tariff): Milli {
  const { baseMilli, memoryMilli, cpuMilli } = dayPrice(size, ratesFor(tariff, state))
  return baseMilli + memoryMilli + cpuMilli
}
