import type { Lease } from '../../broker/lease.ts'
import type { PoolRule } from '../../broker/pool.ts'
import type { BudgetRule } from '../../pricing/budget.ts'
import type { Charge } from '../../pricing/charge.ts'
import { type Commitment, commit, daysToCharge, heldMilli, type Hold } from '../../pricing/commitment.ts'
import { hoursBegun, leaseCharge, type Stretch } from '../../pricing/lease-charge.ts'
import { tariffOn } from '../../pricing/tariff.ts'
import { tariffsOfClass } from '../../pricing/tariff-class.ts'
import { type Instant } from '../base/clock.ts'
import { refuse } from '../base/errors.ts'
import { addDays, type LocalDay, localDay, startOfDay } from '../base/period.ts'
import { list } from '../base/text.ts'
import type { Person } from '../identity/person.ts'
import { isClosedOn, mayUseBudget } from '../requests/approval.ts'
import { type Books, budgetNamed, saveCommitment } from './accounts.ts'
import { chargedTo, openFrom } from './charging.ts'
import { book } from './holding.ts'
import { prolonged, promisesFor, tariffsOf } from './promising.ts'
import type { Site } from './site.ts'

/**
 * Holds the price of a session that begins, up to its end. Where the pool has no budget or prices have no part for
 * sessions, it costs nobody anything.
 * @throws Refusal `budget_exhausted`, `unknown_budget`: the session is not begun then.
 */
export async function payForLease(
  books: Books,
  pool: PoolRule,
  lease: Lease,
  person: Pick<Person, 'user' | 'groups'>,
): Promise<void> {
  const { now, site } = books
  if (pool.budget === undefined || !isPriced(site, pool.group)) return
  const { code: budget } = payerOf(books, pool.name, pool.budget, person)
  const createdDay = localDay(now, site.timezone)
  const term = { from: createdDay, to: dayAfter(lease.endsAt, site) }
  const commitment = commit({
    ...{ id: lease.id, ref: lease.id, budget, createdDay, paidTo: term.to, openEnded: false },
    ...{ priceClass: pool.group, promised: promisesFor(term, books) },
    lease: { pool: pool.name, user: lease.user },
  })
  await save(books, commitment, { holds: holdsOf(lease, commitment, site), before: [], how: 'checked' })
}

/** Holds for the session what it may cost now: it was offered or extended, so its end is another one. */
export async function holdForLease(books: Books, lease: Lease, how: 'checked' | 'anyhow'): Promise<void> {
  const known = await books.tx.commitments.get(lease.id)
  if (known === undefined || known.endedOn !== null) return
  const next = prolonged(known, dayAfter(lease.endsAt, books.site), books)
  await save(books, next, { holds: holdsOf(lease, next, books.site), before: known.holds, how })
}

/** What it costs to keep a session longer, and who pays; nothing where it costs nobody anything. */
export async function priceOfLonger(
  { tx, site, now }: Pick<Books, 'tx' | 'site' | 'now'>,
  lease: Lease,
  until: Instant,
): Promise<{ budget: string; totalMilli: number; perDayMilli: number } | undefined> {
  const known = await tx.commitments.get(lease.id)
  if (known === undefined || known.endedOn !== null) return undefined
  const next = prolonged(known, dayAfter(until, site), { now, site })
  const holds = holdsOf({ ...lease, endsAt: until }, next, site)
  const perHour = tariffOn(localDay(until, site.timezone), tariffsOf(site, next)).perLeaseHourMilli ?? 0
  const totalMilli = heldMilli({ holds }) - heldMilli(known)
  return { budget: known.budget, totalMilli, perDayMilli: perHour * hoursOfDay }
}

/** For a price by the day of what is priced by the hour. */
export const hoursOfDay = 24

/** Charges a session for the first day that has passed and is not charged yet. One that is not known any more costs nothing. */
export async function chargeLeaseDay(books: Books, commitment: Commitment): Promise<void> {
  const { tx, site, now } = books
  if (commitment.chargedTo >= localDay(now, site.timezone)) return
  const lease = await tx.leases.get(commitment.id)
  const to = addDays(commitment.chargedTo, 1)
  const span = { before: to, until: now, openFrom: await openFrom(tx) }
  const rows = lease === undefined ? [] : leaseRowsDue(lease, commitment, site, span)
  const next = await book(books, { ...commitment, chargedTo: to }, rows)
  const holds = lease === undefined ? [] : holdsOf(lease, next, site)
  const charged = chargedTo(rows, site, 'booking')
  await save(books, next, { holds, before: commitment.holds, how: 'anyhow', charged })
}

/** Closes the books on a session that has ended: its hours are charged, and the rest of what was held comes back. */
export async function settleLease(books: Books, lease: Lease): Promise<void> {
  const { tx, site, now } = books
  const commitment = await tx.commitments.get(lease.id)
  if (commitment === undefined || commitment.endedOn !== null) return
  const today = localDay(now, site.timezone)
  const before = addDays(today, 1)
  const rows = leaseRowsDue(lease, commitment, site, { before, until: now, openFrom: await openFrom(tx) })
  const next = await book(books, { ...commitment, endedOn: today, chargedTo: before }, rows)
  const charged = chargedTo(rows, site, 'booking')
  await save(books, next, { holds: [], before: commitment.holds, how: 'anyhow', charged })
}

/**
 * The rows of a session for days up to `before` that are not charged yet: from its first connection on, also while nobody
 * is connected, since the desktop is kept for its person; never beyond the end that was agreed on.
 */
export function leaseRowsDue(
  lease: Lease,
  commitment: Commitment,
  site: Site,
  span: { before: LocalDay; until: Instant; openFrom?: LocalDay },
): Charge[] {
  if (lease.connectedAt === null) return []
  const to = [lease.endsAt, lease.endedAt ?? span.until, span.until].reduce((a, b) => (a < b ? a : b))
  return rowsOf({ from: lease.connectedAt, to }, commitment, site, span)
}

function rowsOf(
  use: Stretch,
  commitment: Commitment,
  site: Site,
  { before, openFrom: open }: { before: LocalDay; openFrom?: LocalDay },
): Charge[] {
  const { id, budget, lease } = commitment
  if (lease === undefined) return []
  const tariffs = tariffsOf(site, commitment)
  const { from, to } = daysToCharge(commitment, before)
  const rows: Charge[] = []
  for (let day = from; day < to; day = addDays(day, 1)) {
    const hours = hoursBegun(use, dayOf(day, site))
    const row = leaseCharge({ lease: id, budget, ...lease }, { day, hours }, tariffs, open)
    if (row !== undefined) rows.push(row)
  }
  return rows
}

/** What the session may still cost if it lasts to its end. */
function holdsOf(lease: Lease, commitment: Commitment, site: Site): Hold[] {
  const from = lease.connectedAt ?? lease.offeredAt ?? lease.createdAt
  const before = commitment.paidTo
  return chargedTo(rowsOf({ from, to: lease.endsAt }, commitment, site, { before }), site, 'day')
}

async function save(
  books: Books,
  commitment: Commitment,
  {
    holds,
    ...change
  }: { holds: Hold[]; before: readonly Hold[]; charged?: Hold[]; how: 'checked' | 'anyhow' },
): Promise<void> {
  await saveCommitment(books, { ...commitment, holds }, change)
}

/** The pool's budget, or the first that the person may use. @throws Refusal `unknown_budget`. */
function payerOf(
  { now, site }: Books,
  pool: string,
  budget: string,
  person: Pick<Person, 'user' | 'groups'>,
): BudgetRule {
  const today = localDay(now, site.timezone)
  if (budget !== 'own') {
    const rule = budgetNamed(site, budget)
    if (!isClosedOn(rule, today)) return rule
    const closed = `Sessions in pool ${pool} are paid from ${budget}, which is closed since ${rule.closed ?? today}.`
    refuse('unknown_budget', `${closed} Ask ${list(rule.holders, 'or')}, or an operator.`, { about: budget })
  }
  const own = site.budgets.find((rule) => mayUseBudget(person, rule) && !isClosedOn(rule, today))
  if (own !== undefined) return own
  const none = `Sessions in pool ${pool} are paid from your own budget, and there is none that you may use.`
  refuse('unknown_budget', `${none} Ask the holder of one to make you a member.`)
}

/** Whether sessions on desktops of a host group cost anything by any tariff. */
function isPriced(site: Site, group: string): boolean {
  return tariffsOfClass(site.tariffs, group).some(({ perLeaseHourMilli }) => perLeaseHourMilli !== undefined)
}

function dayOf(day: LocalDay, { timezone }: Site): Stretch {
  return { from: startOfDay(day, timezone), to: startOfDay(addDays(day, 1), timezone) }
}

function dayAfter(at: Instant, { timezone }: Site): LocalDay {
  return addDays(localDay(at, timezone), 1)
}
