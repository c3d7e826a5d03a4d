import type { LocalDay } from '../src/base/period.ts'
import type { Milli } from './money.ts'
import { fullPrice } from './quote.ts'
import { type Size, type Tariff, tariffOn } from './tariff.ts'

/** What one machine costs on a day when nothing of it is free. */
export function fullPerDayMilli(size: Size, tariffs: readonly Tariff[], day: LocalDay): Milli {
  return fullPrice(size, tariffOn(day, tariffs))
}
