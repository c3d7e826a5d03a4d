import type { Order, QuoteLine } from '../../pricing/quote.ts'
import type { Tariff } from '../../pricing/tariff.ts'

/**
 * What a quote must say, worked out the slow way: day by day, in BigInt, with a calendar of its own. It shares no
 * arithmetic with what it checks.
 */
export function slowQuote(order: Order, tariffs: readonly Tariff[]) {
  const sameDay = order.from === order.to && order.from === order.createdDay
  const days = sameDay ? [dayNumber(order.from)] : numbers(dayNumber(order.from), dayNumber(order.to))
  const amounts: Record<QuoteLine['item'], bigint> = { base: 0n, memory: 0n, cpu: 0n, free: 0n }
  let freeDays = 0
  for (const day of days) {
    const tariff = slowTariff(day, tariffs)
    const isFree = day - dayNumber(order.createdDay) < tariff.freeDays
    if (isFree) freeDays += 1
    const price = slowDay(order.size, tariff)
    for (let machine = 0; machine < order.count; machine++) {
      if (!isFree) amounts.base += price.base
      if (!isFree || tariff.freeDaysCover === 'base') {
        amounts.memory += price.memory
        amounts.cpu += price.cpu
      }
    }
  }
  return {
    totalMilli: Number(amounts.base + amounts.memory + amounts.cpu),
    days: days.length,
    freeDays,
    amounts,
  }
}

export function dayNumber(day: string): number {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
  return Date.UTC(year, month - 1, date) / 86_400_000
}

export function dayText(number: number): string {
  return new Date(number * 86_400_000).toISOString().slice(0, 10)
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

/** The one that has begun most lately; among equals the later in the list; else the one that begins first. */
function slowTariff(day: number, tariffs: readonly Tariff[]): Tariff {
  let best: Tariff | undefined
  let first: Tariff | undefined
  for (const tariff of tariffs) {
    if (first === undefined || dayNumber(tariff.from) < dayNumber(first.from)) first = tariff
    if (dayNumber(tariff.from) > day) continue
    if (best === undefined || dayNumber(tariff.from) >= dayNumber(best.from)) best = tariff
  }
  const found = best ?? first
  if (found === undefined) throw new Error('no tariff')
  return found
}

function slowDay(size: Order['size'], tariff: Tariff) {
  // Thousandths of a GB read off the decimal text, so that no floating point takes part.
  const [whole = '0', part = ''] = size.memoryGb.toFixed(3).split('.')
  const thousandths = BigInt(whole) * 1000n + BigInt(part) - 1000n
  const exact = (thousandths > 0n ? thousandths : 0n) * BigInt(tariff.perGbMilli)
  const rest = exact % 1000n
  return {
    base: BigInt(tariff.baseMilli),
    memory: exact / 1000n + (rest >= 500n ? 1n : 0n),
    cpu: BigInt(Math.max(1, size.cpus) - 1) * BigInt(tariff.perCpuMilli),
  }
}
