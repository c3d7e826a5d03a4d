import { accountId, daysOfMonth } from '../../pricing/budget-period.ts'
import {
  bookedOn,
  bookingDay,
  type Charge,
  type ChargedUse,
  chargesFor,
  reversal,
  sumOf,
} from '../../pricing/charge.ts'
import { type Commitment, daysToCharge, gathered, type Hold } from '../../pricing/commitment.ts'
import { tallied, tallyId } from '../../pricing/tally.ts'
import { usedTariff, usedTariffId } from '../../pricing/used-tariff.ts'
import type { Instant } from '../base/clock.ts'
import { addDays, type LocalDay, localDay } from '../base/period.ts'
import type { Machine } from '../machines/machine.ts'
import { usageOn } from '../machines/usage.ts'
import type { ReadTransaction, Transaction } from '../store/store.ts'
import { periodicOf } from './accounts.ts'
import { tariffsOf } from './promising.ts'
import type { Site } from './site.ts'

/** How many rows of the ledger are read at a time. */
const pageSize = 1000

/** The rows for the days up to `before` that are not charged yet. Nothing is booked. */
export function rowsDue(
  machine: Machine,
  commitment: Commitment,
  site: Site,
  span: { before: LocalDay; openFrom?: LocalDay },
): Charge[] {
  const { id, ref, freeFrom } = commitment
  const { from, to } = daysToCharge(commitment, span.before)
  const tariffs = tariffsOf(site, commitment)
  const rows: Charge[] = []
  for (let day = from; day < to; day = addDays(day, 1)) {
    const use = chargedUse(machine, day, site.timezone)
    if (use === undefined) continue
    rows.push(...chargesFor({ machine: id, ref, freeFrom }, use, tariffs, span.openFrom))
  }
  return rows
}

/** What a machine had on a day that somebody pays for. */
function chargedUse(machine: Machine, day: LocalDay, zone: string): ChargedUse | undefined {
  const use = usageOn(machine, day, zone)
  return use?.budget === undefined || use.budget === null ? undefined : { ...use, day, budget: use.budget }
}

/**
 * What a machine has cost until now: its rows in the ledger, and those to come for the days up to today. Desktops of a
 * pool and machines without a budget cost nobody.
 */
export async function costToDate(
  tx: ReadTransaction,
  machine: Machine,
  { now, site }: { now: Instant; site: Site },
): Promise<number> {
  const commitment = await tx.commitments.get(machine.id)
  if (commitment === undefined || commitment.ref !== machine.ref) return 0
  if (commitment.endedOn !== null) return commitment.spentMilli
  const before = addDays(localDay(now, site.timezone), 1)
  return commitment.spentMilli + sumOf(rowsDue(machine, commitment, site, { before }))
}

/** What rows take from accounts. `by` says which day decides about the account where its limit has periods. */
export function chargedTo(rows: readonly Charge[], site: Site, by: 'day' | 'booking'): Hold[] {
  return gathered(
    rows.map((row) => ({
      account: accountId(periodicOf(site, row.budget), by === 'day' ? row.day : bookingDay(row)),
      milli: row.amountMilli,
    })),
  )
}

/** Remembers the tariffs that rows were made by, as they were the first time, so that a change of one is noticed. */
export async function keepTariffs(tx: Transaction, rows: readonly Charge[], site: Site): Promise<void> {
  const names = new Set(rows.map(({ tariff }) => tariff))
  const last = rows.reduce((day, row) => (row.day > day ? row.day : day), '')
  for (const tariff of site.tariffs) {
    // Of tariffs of one name those count that had begun; the first of them is in force before its day too.
    const isFirst = (): boolean =>
      site.tariffs.every(({ name, from }) => name !== tariff.name || from >= tariff.from)
    if (!names.has(tariff.name) || (tariff.from > last && !isFirst())) continue
    // This is asked for each machine and day, so what identifies a tariff is worked out only where it is not kept yet.
    const kept = await tx.tariffs.get(usedTariffId(tariff))
    if (kept === undefined) await tx.tariffs.put(usedTariff(tariff))
  }
}

/** Writes rows into the ledger, and adds them to what was counted by machine and month. */
export async function record(tx: Transaction, rows: readonly Charge[]): Promise<void> {
  const groups = new Map<string, Charge[]>()
  for (const row of rows) {
    await tx.charges.append(row)
    const id = tallyId(row)
    const group = groups.get(id)
    if (group === undefined) groups.set(id, [row])
    else group.push(row)
  }
  for (const [id, group] of groups) await tx.tallies.put(tallied(await tx.tallies.get(id), group))
}

/** Takes back rows of the ledger, with the reason. Those that were taken back before stay so. */
export async function takeBack(
  tx: Transaction,
  wanted: { from: LocalDay; today: LocalDay; reason: string; is: (row: Charge) => boolean },
): Promise<Charge[]> {
  const { from, today, reason, is } = wanted
  const rows: Charge[] = []
  for await (const row of ledger(tx, { from })) if (is(row)) rows.push(row)
  const gone = new Set(rows.filter((row) => row.reason !== null).map(({ id }) => id))
  const reversals = rows
    .filter((row) => row.reason === null && !gone.has(`${row.id}|reversed`))
    .map((row) => reversal(row, { day: today, reason }))
  await record(tx, reversals)
  return reversals
}

/** Rows of the ledger booked from one day to another, which is not counted; newest first. */
export async function* ledger(
  tx: ReadTransaction,
  span: { from: LocalDay; to?: LocalDay },
): AsyncGenerator<Charge> {
  const bounds = { from: bookedOn(span.from), ...(span.to === undefined ? {} : { to: bookedOn(span.to) }) }
  for (let after: string | undefined; ;) {
    const page = await tx.charges.page({
      ...bounds,
      ...(after === undefined ? {} : { after }),
      limit: pageSize,
    })
    yield* page.items
    if (page.next === null) return
    after = page.next
  }
}

const closedId = 'closed-month'

/** The last month whose statements no longer change, `2026-11`; null before there is one. */
export async function closedMonth(tx: ReadTransaction): Promise<string | null> {
  const value = (await tx.counters.get(closedId))?.value
  return value === undefined ? null : `${Math.floor(value / 100)}-${String(value % 100).padStart(2, '0')}`
}

export async function closeMonth(tx: Transaction, month: string): Promise<void> {
  await tx.counters.put({ id: closedId, value: Number(month.replace('-', '')) })
}

/** The first day that may still be booked on. */
export async function openFrom(tx: ReadTransaction): Promise<LocalDay> {
  const closed = await closedMonth(tx)
  return closed === null ? '0000-01-01' : daysOfMonth(closed).to
}
