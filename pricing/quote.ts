import { assert } from '../src/base/errors.ts'
import { addDays, daysBetween, type LocalDay } from '../src/base/period.ts'
import { checked, type Milli } from './money.ts'
import {
  byTariff,
  cpusAboveFirst,
  dayPrice,
  gbAboveFirst,
  type Size,
  type Tariff,
  tariffOn,
  type TariffSpan,
  type Term,
} from './tariff.ts'

/** What is to be priced: equal machines for half-open days of the site's calendar. */
export interface Order extends Term {
  size: Size
  count: number
  /** The day it was made: `from` for a new machine, earlier when it gets more time. */
  createdDay: LocalDay
  /** The day that free days are counted from, where that is not the day it was made. */
  freeFrom?: LocalDay
}

export interface QuoteLine {
  item: 'base' | 'memory' | 'cpu' | 'free'
  /** Machines for `base` and `free`, GB or CPUs above the first of all machines together for the others. */
  quantity: number
  /** The price of one for one day; 0 for `free`. */
  unitMilli: Milli
  days: number
  /** quantity × unitMilli × days; with part of a GB, what `dayPrice` makes of it for each machine and day. */
  amountMilli: Milli
}

export interface Quote {
  totalMilli: Milli
  days: number
  /** Days within the free allowance, whatever it covers; of machines that have different ones, the fewest. */
  freeDays: number
  /** days - freeDays. */
  chargeableDays: number
  /** The full price of all machines for one day, by the tariff of the last day. */
  perDayMilli: Milli
  /** Tariff by tariff, in order of days. Lines of no quantity or no days are left out; free days are shown. */
  lines: QuoteLine[]
}

/** Prices an order. The total is a whole multiple of `count`: each machine costs the same. */
export function quote(order: Order, tariffs: readonly Tariff[]): Quote {
  assert(Number.isSafeInteger(order.count) && order.count > 0, 'a quote is for one machine or more')
  const term = chargedTerm(order)
  const spans = byTariff(term, tariffs)
  const days = daysBetween(term)
  const freeDays = sum(spans.map((span) => freeDaysIn(span, order)))
  const lines = spans.flatMap((span) => spanLines(order, span))
  return {
    totalMilli: checked(sum(lines.map((line) => line.amountMilli))),
    days,
    freeDays,
    chargeableDays: days - freeDays,
    perDayMilli: checked(
      order.count * fullPrice(order.size, spans.at(-1)?.tariff ?? tariffOn(term.from, tariffs)),
    ),
    lines,
  }
}

/** One quote for machines that are priced apart because their free days are counted from different days. */
export function together(quotes: readonly Quote[]): Quote {
  const [first, ...others] = quotes
  assert(first !== undefined, 'something is priced')
  return others.reduce<Quote>((all, one) => {
    const freeDays = Math.min(all.freeDays, one.freeDays)
    return {
      totalMilli: checked(all.totalMilli + one.totalMilli),
      days: all.days,
      freeDays,
      chargeableDays: all.days - freeDays,
      perDayMilli: checked(all.perDayMilli + one.perDayMilli),
      lines: [...all.lines, ...one.lines],
    }
  }, first)
}

/**
 * The days that an order is charged for. A new machine that ends on the day it is made is charged for that day; more
 * time within a day that is paid already costs nothing. `to` is what a commitment keeps as `paidTo`.
 */
export function chargedTerm(order: Pick<Order, 'createdDay' | 'from' | 'to'>): Term {
  assert(order.createdDay <= order.from, 'nothing is charged before a machine exists')
  assert(order.from <= order.to, 'a term does not end before it starts')
  const withinItsFirstDay = order.createdDay === order.from && order.from === order.to
  return { from: order.from, to: withinItsFirstDay ? addDays(order.to, 1) : order.to }
}

/**
 * The order for more time for a machine. It starts where the machine is paid to, which for one made and ended on one day
 * is the day after its old end; a new end before that costs nothing. One that was taken over with its end in the past
 * starts on the day it was taken over, its `createdDay`.
 */
export function extensionOrder(
  machine: { size: Size; createdDay: LocalDay; freeFrom?: LocalDay; paidTo: LocalDay },
  to: LocalDay,
): Order {
  const { size, createdDay, freeFrom = createdDay, paidTo } = machine
  const from = paidTo > createdDay ? paidTo : createdDay
  return { size, count: 1, createdDay, freeFrom, from, to: to > from ? to : from }
}

/** The full price of one machine for one day by a tariff. */
export function fullPrice(size: Size, tariff: Tariff): Milli {
  const price = dayPrice(size, tariff)
  return checked(price.baseMilli + price.memoryMilli + price.cpuMilli)
}

/** How many of a span's days are free: the allowance runs from one day, and each day goes by its own tariff's. */
function freeDaysIn(span: TariffSpan, { createdDay, freeFrom = createdDay }: Order): number {
  const age = daysBetween({ from: freeFrom, to: span.from })
  return Math.min(daysBetween(span), Math.max(0, span.tariff.freeDays - age))
}

function spanLines(order: Order, span: TariffSpan): QuoteLine[] {
  const { size, count } = order
  const { tariff } = span
  const price = dayPrice(size, tariff)
  const days = daysBetween(span)
  const freeDays = freeDaysIn(span, order)
  const paidDays = days - freeDays
  const extraDays = tariff.freeDaysCover === 'all' ? paidDays : days
  const rows = [
    { item: 'base', each: 1, unitMilli: tariff.baseMilli, days: paidDays, dayMilli: price.baseMilli },
    {
      item: 'memory',
      each: gbAboveFirst(size),
      unitMilli: tariff.perGbMilli,
      days: extraDays,
      dayMilli: price.memoryMilli,
    },
    {
      item: 'cpu',
      each: cpusAboveFirst(size),
      unitMilli: tariff.perCpuMilli,
      days: extraDays,
      dayMilli: price.cpuMilli,
    },
    { item: 'free', each: 1, unitMilli: 0, days: freeDays, dayMilli: 0 },
  ] as const
  return rows
    .filter((row) => row.each > 0 && row.days > 0)
    .map(({ item, each, unitMilli, days, dayMilli }) => ({
      item,
      quantity: times(each, count),
      unitMilli,
      days,
      amountMilli: checked(count * days * dayMilli),
    }))
}

/** A number of thousandths times a whole number, without the dust of floating point. */
function times(each: number, count: number): number {
  return Math.round(each * 1000 * count) / 1000
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}
