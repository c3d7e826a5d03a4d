import { type Commitment, draw, dueKey, gathered, type Hold, holdsFor } from '../../pricing/commitment.ts'
import type { Charge } from '../../pricing/charge.ts'
import { addDays, type LocalDay, localDay } from '../base/period.ts'
import type { Machine } from '../machines/machine.ts'
import { promisedSize } from '../machines/usage.ts'
import { type Books, changeAccounts, periodicOf, saveCommitment } from './accounts.ts'
import { chargedTo, keepTariffs, openFrom, record, rowsDue, takeBack } from './charging.ts'
import type { ReadTransaction } from '../store/store.ts'
import { tariffsOf } from './promising.ts'
import type { Site } from './site.ts'

/**
 * Holds the price of a machine's days to come, no more and no less: after it was approved or its end, size or budget has
 * changed. `checked` refuses what the budget has no room for.
 * @throws Refusal `budget_exhausted`.
 */
export async function holdFor(
  books: Books,
  machine: Machine,
  commitment: Commitment,
  how: 'checked' | 'anyhow',
): Promise<void> {
  const before = (await books.tx.commitments.get(commitment.id))?.holds ?? []
  const today = localDay(books.now, books.site.timezone)
  const holds = holdsToCome(machine, commitment, books.site, today)
  await saveCommitment(books, { ...commitment, holds }, { before, how })
}

/** The same for a machine that may have no commitment: nothing happens then. */
export async function holdAgain(books: Books, machine: Machine, how: 'checked' | 'anyhow'): Promise<void> {
  const commitment = await openCommitment(books, machine)
  if (commitment !== undefined) await holdFor(books, machine, commitment, how)
}

/** The commitment of a machine that is there. */
export async function openCommitment(
  { tx }: { tx: Pick<ReadTransaction, 'commitments'> },
  machine: Machine,
): Promise<Commitment | undefined> {
  const commitment = await tx.commitments.get(machine.id)
  return commitment?.ref === machine.ref && commitment.endedOn === null ? commitment : undefined
}

/** What the days to come cost: those up to today by what there was on them, the others by what is promised. */
export function holdsToCome(machine: Machine, commitment: Commitment, site: Site, today: LocalDay): Hold[] {
  const { budget, chargedTo: charged, createdDay, freeFrom, paidTo: to } = commitment
  const tomorrow = addDays(today, 1)
  const from = charged > tomorrow ? charged : tomorrow
  const due = chargedTo(rowsDue(machine, commitment, site, { before: tomorrow }), site, 'day')
  const order = { size: promisedSize(machine), count: 1, createdDay, freeFrom, from, to }
  return gathered([...due, ...holdsFor(order, periodicOf(site, budget), tariffsOf(site, commitment))])
}

/**
 * Charges the first day that is not charged yet, unless it is still to end. Once today or the machine's end is reached,
 * what is held is worked out anew, since prices, sizes and states may differ from what it was worked out with.
 */
export async function chargeNextDay(
  books: Books,
  machine: Machine | undefined,
  commitment: Commitment,
): Promise<void> {
  const { tx, site, now } = books
  const today = localDay(now, site.timezone)
  if (commitment.chargedTo >= today) return
  const to = addDays(commitment.chargedTo, 1)
  const isThere = machine?.ref === commitment.ref
  const rows = isThere ? rowsDue(machine, commitment, site, { before: to, openFrom: await openFrom(tx) }) : []
  const next = await book(books, { ...commitment, chargedTo: to }, rows)
  const isUpToDate = to === today || dueKey(next) === null
  const holds = !isUpToDate ? next.holds : isThere ? holdsToCome(machine, next, site, today) : []
  const spent = chargedTo(rows, site, 'booking')
  await saveCommitment(books, { ...next, holds }, { before: commitment.holds, charged: spent, how: 'anyhow' })
}

/** Writes rows into the ledger. Gives back the commitment with so much less held, and so much more spent. */
export async function book(
  { tx, site }: Books,
  commitment: Commitment,
  rows: readonly Charge[],
): Promise<Commitment> {
  await record(tx, rows)
  await keepTariffs(tx, rows, site)
  return draw(commitment, chargedTo(rows, site, 'booking'))
}

/**
 * Closes the books on a machine. `owed`: the days that are not charged yet are, and the rest of what was held comes
 * back. `nothing`: it never came to be, so what was charged meanwhile is taken back.
 */
export async function settleMachine(books: Books, machine: Machine, how: 'owed' | 'nothing'): Promise<void> {
  const { tx, site, now } = books
  const commitment = await openCommitment(books, machine)
  if (commitment === undefined) return
  const today = localDay(now, site.timezone)
  if (how === 'nothing') {
    const { ref, createdDay } = commitment
    const is = (row: Charge): boolean => row.ref === ref
    const rows = await takeBack(tx, { from: createdDay, today, reason: 'it could not be made', is })
    const spent = chargedTo(rows, site, 'booking')
    await changeAccounts(books, commitment.holds, [], { charged: spent, how: 'anyhow' })
    return tx.commitments.remove(commitment.id)
  }
  const ended = { ...commitment, endedOn: today }
  const before = addDays(today, 1)
  const rows = rowsDue(machine, ended, site, { before, openFrom: await openFrom(tx) })
  const next = await book(books, { ...ended, chargedTo: before }, rows)
  const spent = chargedTo(rows, site, 'booking')
  await saveCommitment(
    books,
    { ...next, holds: [] },
    { before: commitment.holds, charged: spent, how: 'anyhow' },
  )
}
