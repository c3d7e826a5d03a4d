import { z } from 'zod'
import { assert } from '../src/base/errors.ts'
import { isLocalDay, type LocalDay } from '../src/base/period.ts'
import { checked, isMoney, type Milli, parseMoney } from './money.ts'

const Price = z
  .string()
  .refine(isMoney, 'an amount with at most three decimals in quotes, such as "0.685"')
  .transform(parseMoney)

/** Prices from a day on, per machine and local calendar day. A tariff is never edited: a later one is added. */
export const Tariff = z
  .strictObject({
    name: z.string().min(1).max(40),
    from: z.string().refine(isLocalDay, 'a day, such as 2026-01-31'),
    /** Days from creation that cost nothing. */
    freeDays: z.number().int().min(0).max(3660),
    /** What the free days cover: the whole machine, or only its base price. */
    freeDaysCover: z.enum(['all', 'base']).default('all'),
    base: Price,
    /** For each GB above the first. */
    perGb: Price,
    /** For each CPU above the first. */
    perCpu: Price,
  })
  .transform(({ base, perGb, perCpu, ...rest }) => ({
    ...rest,
    baseMilli: base,
    perGbMilli: perGb,
    perCpuMilli: perCpu,
  }))
export type Tariff = z.infer<typeof Tariff>

/** What a price depends on: a machine's processors and memory. */
export interface Size {
  cpus: number
  memoryGb: number
}

/** Half-open days of the site's calendar: `to` is not counted. */
export interface Term {
  from: LocalDay
  to: LocalDay
}

/** Consecutive days that one tariff applies to. */
export interface TariffSpan extends Term {
  tariff: Tariff
}

/** The full price of one machine for one day, by component. */
export interface DayPrice {
  baseMilli: Milli
  memoryMilli: Milli
  cpuMilli: Milli
}

/** The tariff of a day: the latest that has begun. Days before the first tariff go by the first. */
export function tariffOn(day: LocalDay, tariffs: readonly Tariff[]): Tariff {
  const ordered = inOrder(tariffs)
  const found = ordered.findLast((tariff) => tariff.from <= day) ?? ordered[0]
  assert(found !== undefined, 'a site has at least one tariff')
  return found
}

/** A term cut where the tariff changes, in order. Its cost depends on the number of tariffs, never on that of days. */
export function byTariff(term: Term, tariffs: readonly Tariff[]): TariffSpan[] {
  const ordered = inOrder(tariffs)
  assert(ordered.length > 0, 'a site has at least one tariff')
  return ordered
    .map((tariff, index) => {
      const nextFrom = ordered[index + 1]?.from ?? term.to
      return {
        tariff,
        from: index === 0 || tariff.from < term.from ? term.from : tariff.from,
        to: nextFrom < term.to ? nextFrom : term.to,
      }
    })
    .filter((span) => span.from < span.to)
}

/**
 * The full price of one machine for one day. Memory that is no whole number of GB is the only thing that ever needs
 * rounding. It is done here, half up, because a machine and a day is the smallest thing that is charged: rounding a
 * longer term instead would make an extension cost something else than the same days asked for at once.
 */
export function dayPrice(size: Size, tariff: Tariff): DayPrice {
  assert(Number.isSafeInteger(size.cpus), 'a machine has a whole number of CPUs')
  const memory = checked(thousandthsAboveFirst(size) * tariff.perGbMilli + 500)
  return {
    baseMilli: tariff.baseMilli,
    memoryMilli: (memory - (memory % 1000)) / 1000,
    cpuMilli: checked(cpusAboveFirst(size) * tariff.perCpuMilli),
  }
}

/** GB above the first, to a thousandth; nothing for a machine with less than one. */
export function gbAboveFirst(size: Size): number {
  return thousandthsAboveFirst(size) / 1000
}

export function cpusAboveFirst(size: Size): number {
  return Math.max(0, size.cpus - 1)
}

/** In whole thousandths of a GB, since 1.1 - 1 is not 0.1 in floating point. */
function thousandthsAboveFirst(size: Size): number {
  return Math.max(0, Math.round(size.memoryGb * 1000) - 1000)
}

/** By first day; of two from the same day the one that is listed later counts. */
function inOrder(tariffs: readonly Tariff[]): Tariff[] {
  return tariffs.toSorted((a, b) => (a.from < b.from ? -1 : Number(a.from > b.from)))
}
