import { z } from 'zod'
import { addDuration, IsoDuration } from '../src/base/duration.ts'
import { assert } from '../src/base/errors.ts'
import { isLocalDay, type LocalDay, localDay } from '../src/base/period.ts'
import { checked, isMoney, type Milli, parseMoney } from './money.ts'

const Price = z
  .string()
  .refine(isMoney, 'an amount with at most three decimals in quotes, such as "0.685"')
  .transform(parseMoney)

/** Prices for days on which a machine took up less than its full room. What is left out costs as ever. */
const RestingPrices = z
  .strictObject({ base: Price.optional(), perGb: Price.optional(), perCpu: Price.optional() })
  .transform(({ base, perGb, perCpu }) => ({
    ...(base === undefined ? {} : { baseMilli: base }),
    ...(perGb === undefined ? {} : { perGbMilli: perGb }),
    ...(perCpu === undefined ? {} : { perCpuMilli: perCpu }),
  }))

/** Prices from a day on, per machine and local calendar day. A tariff is never edited: a later one is added. */
export const Tariff = z
  .strictObject({
    name: z.string().min(1).max(40),
    from: z.string().refine(isLocalDay, 'a day, such as 2026-01-31'),
    /** The classes of machines that it is for, by their host groups. One that is for none covers the rest. */
    for: z.array(z.string().min(1).max(40)).min(1).optional(),
    /** Days from creation that cost nothing. */
    freeDays: z.number().int().min(0).max(3660),
    /** What the free days cover: the whole machine, or only its base price. */
    freeDaysCover: z.enum(['all', 'base']).default('all'),
    /** How long after a machine's end one of the same name on the same budget goes on with its free days. */
    freeAgainAfter: IsoDuration.optional(),
    base: Price,
    /** For each GB above the first. */
    perGb: Price,
    /** For each CPU above the first. */
    perCpu: Price,
    /** For each hour of a session on a desktop that is begun, where the pool has a budget. */
    perLeaseHour: Price.optional(),
    /** A day on which a machine was saved, or had come to its end, all day. */
    saved: RestingPrices.optional(),
    /** A day on which it was in the library all day. */
    archived: RestingPrices.optional(),
  })
  .transform(({ base, perGb, perCpu, perLeaseHour, ...rest }) => ({
    ...rest,
    baseMilli: base,
    perGbMilli: perGb,
    perCpuMilli: perCpu,
    ...(perLeaseHour === undefined ? {} : { perLeaseHourMilli: perLeaseHour }),
  }))
export type Tariff = z.infer<typeof Tariff>

/** How much of a machine there was on a day, as far as prices care. */
export type Occupation = 'running' | 'saved' | 'archived'

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

/** How a site keeps to what it has quoted. */
export const PricePolicy = z.strictObject({
  /** Days go by the tariff in force when they were agreed on, also after a later one has begun. */
  honourQuotes: z.boolean().default(false),
})
export type PricePolicy = z.infer<typeof PricePolicy>

type Rates = Pick<Tariff, 'baseMilli' | 'perGbMilli' | 'perCpuMilli'>

/** The prices of a tariff for a day on which a machine was no more than `state`. */
export function ratesFor(tariff: Tariff, state: Occupation): Rates {
  const { baseMilli, perGbMilli, perCpuMilli } = tariff
  return { baseMilli, perGbMilli, perCpuMilli, ...(state === 'running' ? {} : tariff[state]) }
}

/**
 * The day that a new machine's free days are counted from: the day it is made, or, where one of the same name on the
 * same budget ended too lately, the day that those of the earlier one were counted from.
 */
export function freeFromDay(
  createdDay: LocalDay,
  earlier: { freeFrom: LocalDay; endedOn: LocalDay } | undefined,
  tariffs: readonly Tariff[],
): LocalDay {
  if (earlier === undefined) return createdDay
  const pause = tariffOn(createdDay, tariffs).freeAgainAfter ?? { months: 0, days: 31, millis: 0 }
  const again = localDay(addDuration(`${earlier.endedOn}T00:00:00.000Z`, pause, 'utc'), 'utc')
  return createdDay < again ? earlier.freeFrom : createdDay
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
export function dayPrice(size: Size, tariff: Rates): DayPrice {
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
