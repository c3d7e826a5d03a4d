import type { Instant } from '../src/base/clock.ts'
import { assert } from '../src/base/errors.ts'
import { daysBetween, type LocalDay } from '../src/base/period.ts'
import { checked, type Milli } from './money.ts'
import {
  cpusAboveFirst,
  dayPrice,
  gbAboveFirst,
  type Occupation,
  ratesFor,
  type Size,
  type Tariff,
  tariffOn,
} from './tariff.ts'

/**
 * What a day is charged for. `free` is the zero line of a day within the free allowance, `lease` the hours of a session on
 * a desktop.
 */
export type Component = 'base' | 'memory' | 'cpu' | 'free' | 'lease'

/** A row of the ledger: what one component of one machine cost on one day. Never changed; taken back by another row. */
export interface Charge {
  /** `ref|day|component`, so that the same day can be charged once only. */
  id: string
  /**
   * The day it was booked on, as the first instant of that day in UTC whatever the site's zone: a month's rows are
   * those of the site's calendar month.
   */
  at: Instant
  /** The machine's name, or the pool's for a session. */
  machine: string
  /** The machine's handle, or the session's. */
  ref: string
  budget: string
  owner: string | null
  /** The day that it is for; earlier than the day of booking where that day's month was closed already. */
  day: LocalDay
  component: Component
  state: Occupation
  tariff: string
  /** Machines for `base` and `free`, hours for `lease`, GB or CPUs above the first for the others. Below zero where it is taken back. */
  quantity: number
  unitMilli: Milli
  amountMilli: Milli
  /** Why it takes another row back; null for a charge. */
  reason: string | null
}

/** What a machine had on a day, and who pays. */
export interface ChargedUse extends Size {
  day: LocalDay
  state: Occupation
  budget: string
  owner: string | null
}

/** The machine as the ledger names it. */
export interface Charged {
  machine: string
  ref: string
  /** The day that its free days are counted from. */
  freeFrom: LocalDay
}

/**
 * The rows of one machine for one day, by the tariff of the day.
 * `openFrom` is the first day of a month that is still open: what is for an earlier day is booked on it.
 */
export function chargesFor(
  charged: Charged,
  use: ChargedUse,
  tariffs: readonly Tariff[],
  openFrom: LocalDay = use.day,
): Charge[] {
  const tariff = tariffOn(use.day, tariffs)
  const isFree = daysBetween({ from: charged.freeFrom, to: use.day }) < tariff.freeDays
  const rates = ratesFor(tariff, use.state)
  const price = dayPrice(use, rates)
  const isExtraFree = isFree && tariff.freeDaysCover === 'all'
  const rows = [
    { component: 'base', quantity: isFree ? 0 : 1, unitMilli: rates.baseMilli, amountMilli: price.baseMilli },
    {
      component: 'memory',
      quantity: isExtraFree ? 0 : gbAboveFirst(use),
      unitMilli: rates.perGbMilli,
      amountMilli: price.memoryMilli,
    },
    {
      component: 'cpu',
      quantity: isExtraFree ? 0 : cpusAboveFirst(use),
      unitMilli: rates.perCpuMilli,
      amountMilli: price.cpuMilli,
    },
    { component: 'free', quantity: isFree ? 1 : 0, unitMilli: 0, amountMilli: 0 },
  ] as const
  const { machine, ref } = charged
  const { day, state, budget, owner } = use
  const at = bookedOn(day < openFrom ? openFrom : day)
  const facts = { at, machine, ref, budget, owner, day, state, tariff: tariff.name, reason: null }
  return rows
    .filter(({ quantity }) => quantity > 0)
    .map((row) => ({ id: `${ref}|${day}|${row.component}`, ...facts, ...row }))
}

/** The row that takes another one back, booked on `day`. A row is taken back once only. */
export function reversal(charge: Charge, { day, reason }: { day: LocalDay; reason: string }): Charge {
  assert(charge.reason === null, 'what takes back is not taken back itself')
  return {
    ...charge,
    id: `${charge.id}|reversed`,
    at: bookedOn(day),
    quantity: 0 - charge.quantity,
    amountMilli: 0 - charge.amountMilli,
    reason,
  }
}

export function sumOf(charges: readonly Pick<Charge, 'amountMilli'>[]): Milli {
  return checked(charges.reduce((sum, { amountMilli }) => sum + amountMilli, 0))
}

/** The day whose month's statement a row stands in. */
export function bookingDay({ at }: Pick<Charge, 'at'>): LocalDay {
  return at.slice(0, 10)
}

/** The instant that rows of a booking day bear, and that a month's rows are looked up by. */
export function bookedOn(day: LocalDay): Instant {
  return `${day}T00:00:00.000Z`
}
