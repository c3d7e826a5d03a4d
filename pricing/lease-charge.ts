import { type Instant, millis } from '../src/base/clock.ts'
import type { LocalDay } from '../src/base/period.ts'
import { bookedOn, type Charge } from './charge.ts'
import { checked } from './money.ts'
import { type Tariff, tariffOn } from './tariff.ts'

/** A session on a desktop, and who pays for it. */
export interface ChargedLease {
  lease: string
  pool: string
  user: string
  budget: string
}

/** Instants, half-open. */
export interface Stretch {
  from: Instant
  to: Instant
}

const hourMillis = 3_600_000

/**
 * How many hours of a use begin within a day: the first one with the use, the others an hour after each other, whatever
 * the clock on the wall does. An hour that goes on after midnight is the day's on which it began, so all days together
 * have each hour once.
 */
export function hoursBegun(use: Stretch, day: Stretch): number {
  const [from, to] = [millis(use.from), millis(use.to)]
  const begunBefore = (at: number): number => Math.ceil(Math.max(0, Math.min(at, to) - from) / hourMillis)
  return begunBefore(millis(day.to)) - begunBefore(millis(day.from))
}

/** The row of a session for one day, by the tariff of the day; none where that has no price for it. */
export function leaseCharge(
  { lease, pool, user, budget }: ChargedLease,
  { day, hours }: { day: LocalDay; hours: number },
  tariffs: readonly Tariff[],
  openFrom: LocalDay = day,
): Charge | undefined {
  const tariff = tariffOn(day, tariffs)
  const { perLeaseHourMilli: unitMilli } = tariff
  if (unitMilli === undefined || hours === 0) return undefined
  return {
    id: `${lease}|${day}|lease`,
    at: bookedOn(day < openFrom ? openFrom : day),
    machine: poolName(pool),
    ref: lease,
    budget,
    owner: user,
    day,
    component: 'lease',
    state: 'running',
    tariff: tariff.name,
    quantity: hours,
    unitMilli,
    amountMilli: checked(hours * unitMilli),
    reason: null,
  }
}

/** How statements name the desktops of a pool. No machine's name has a blank. */
export function poolName(pool: string): string {
  return `pool ${pool}`
}
