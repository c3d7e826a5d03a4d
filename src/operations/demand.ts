import {
  type DemandDay,
  daysLike,
  demandDayId,
  type ExplainedLevel,
  levelAt,
  quarterMillis,
  quarterStart,
  withDemand,
} from '../../broker/demand.ts'
import type { PoolRule } from '../../broker/pool.ts'
import { instant, type Instant, millis, plusMillis } from '../base/clock.ts'
import { localDay } from '../base/period.ts'
import type { ReadTransaction } from '../store/store.ts'
import type { PoolDesk } from './desktops.ts'

/** How many desktops a pool keeps ready now, and why. */
export async function levelOf(
  tx: ReadTransaction,
  pool: PoolRule,
  now: Instant,
  zone: string,
): Promise<ExplainedLevel> {
  const { demand } = pool.size
  const days = demand === undefined ? [] : daysLike(now, demand.weeks, zone)
  const found = await Promise.all(days.map((day) => tx.demand.get(demandDayId(pool.name, day))))
  return levelAt(
    pool,
    now,
    zone,
    found.filter((day) => day !== undefined),
  )
}

/** When a quarter of an hour is over that is not counted yet. */
export async function demandToCountAt(tx: ReadTransaction, pool: PoolRule, now: Instant): Promise<Instant> {
  const counted = await tx.counters.get(counterId(pool.name))
  return counted === undefined ? now : instant(counted.value + quarterMillis)
}

function counterId(pool: string): string {
  return `demand-counted:${pool}`
}

/** Leases are kept for that long; of an earlier time nothing is known. */
const longestGapMillis = 30 * 86_400_000
const pageSize = 500

/** Counts the openings of the quarter hours that are over, each once, in the days in which they were. */
export async function countDemandOf({ tx, now, site }: PoolDesk, pool: PoolRule): Promise<void> {
  const to = quarterStart(now)
  const counted = await tx.counters.get(counterId(pool.name))
  await tx.counters.put({ id: counterId(pool.name), value: millis(to) })
  if (counted === undefined) return
  const from = instant(Math.max(counted.value, millis(to) - longestGapMillis))
  const zone = site.timezone
  const byDay = new Map<string, Instant[]>()
  // A day on which nobody came has been seen too.
  for (let at = from; at < to; at = plusMillis(at, quarterMillis)) byDay.set(localDay(at, zone), [])
  for (const at of await openedBetween(tx, pool.name, { from, to })) byDay.get(localDay(at, zone))?.push(at)
  for (const [day, at] of byDay) {
    const known: DemandDay | undefined = await tx.demand.get(demandDayId(pool.name, day))
    await tx.demand.put(withDemand(known, { pool: pool.name, day, at }, zone))
  }
}

/** When people were first given a lease for which any desktop would do. */
async function openedBetween(
  tx: ReadTransaction,
  pool: string,
  { from, to }: { from: Instant; to: Instant },
): Promise<Instant[]> {
  const times: Instant[] = []
  let after: string | undefined
  for (;;) {
    const where = { index: 'pool', key: pool } as const
    const rest = after === undefined ? {} : { after }
    const page = await tx.leases.page({ where, limit: pageSize, newestFirst: true, ...rest })
    // Their order is that in which they were made.
    const fitting = page.items.filter(
      ({ createdAt, own }) => from <= createdAt && createdAt < to && own !== true,
    )
    times.push(...fitting.map(({ createdAt }) => createdAt))
    const oldest = page.items.at(-1)
    if (page.next === null || oldest === undefined || oldest.createdAt < from) return times
    after = page.next
  }
}
