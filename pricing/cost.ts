import { addDays, type LocalDay } from '../src/base/period.ts'
import type { Milli } from './money.ts'
import { fullPrice, quote } from './quote.ts'
import { type Size, type Tariff, tariffOn } from './tariff.ts'

export interface Lifetime {
  size: Size
  createdDay: LocalDay
  today: LocalDay
  /** The day of its end, past or planned; absent or null for none. It is not counted, as in a quote. */
  endedDay?: LocalDay | null
}

/**
 * What one machine has cost until now: each day that has begun counts whole, from the day it was made to today, up to the
 * day of its end. Never more than the quote for the same end. By its size of now: where a size changed, the sum of what
 * was charged is the truth.
 */
export function costToDate(life: Lifetime, tariffs: readonly Tariff[]): Milli {
  const { size, createdDay, today, endedDay } = life
  if (today < createdDay) return 0
  const tomorrow = addDays(today, 1)
  const end = endedDay !== undefined && endedDay !== null && endedDay < tomorrow ? endedDay : tomorrow
  const to = end > createdDay ? end : createdDay
  return quote({ size, count: 1, createdDay, from: createdDay, to }, tariffs).totalMilli
}

/** What one machine costs on a day when nothing of it is free. */
export function fullPerDayMilli(size: Size, tariffs: readonly Tariff[], day: LocalDay): Milli {
  return fullPrice(size, tariffOn(day, tariffs))
}
