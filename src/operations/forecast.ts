import { periodEnd, periodOf } from '../../pricing/budget-period.ts'
import type { BudgetRule } from '../../pricing/budget.ts'
import type { Commitment } from '../../pricing/commitment.ts'
import { quote } from '../../pricing/quote.ts'
import type { Term } from '../../pricing/tariff.ts'
import { addDays, type LocalDay } from '../base/period.ts'
import type { Machine } from '../machines/machine.ts'
import { promisedSize } from '../machines/usage.ts'
import type { ReadTransaction } from '../store/store.ts'
import { tariffsOf } from './promising.ts'
import type { Site } from './site.ts'

/**
 * What a machine will cost on days of a term that are not charged yet, if nothing changes: up to its end, or all of
 * them when it has none.
 */
export function costToCome(machine: Machine, commitment: Commitment, term: Term, site: Site): number {
  const { chargedTo, paidTo, openEnded, endedOn, createdDay, freeFrom } = commitment
  if (endedOn !== null) return 0
  const from = chargedTo > term.from ? chargedTo : term.from
  const to = openEnded || term.to < paidTo ? term.to : paidTo
  if (from >= to) return 0
  const order = { size: promisedSize(machine), count: 1, createdDay, freeFrom, from, to }
  return quote(order, tariffsOf(site, commitment)).totalMilli
}

/** What machines without an end will cost beyond what is held for them, up to the end of a budget's period. */
export async function beyondHolds(
  tx: ReadTransaction,
  rule: BudgetRule,
  site: Site,
  today: LocalDay,
): Promise<number> {
  const end = periodEnd(rule.period, today)
  if (end === null) return 0
  let milli = 0
  for (const commitment of await tx.commitments.find('open', rule.code)) {
    if (!commitment.openEnded) continue
    const machine = await tx.machines.get(commitment.id)
    if (machine === undefined) continue
    const tomorrow = addDays(today, 1)
    const from = commitment.paidTo > tomorrow ? commitment.paidTo : tomorrow
    milli += costToCome(machine, commitment, { from, to: end }, site)
  }
  return milli
}

/** The days of the period that a day lies in, for people to read; null where the limit counts for ever. */
export function periodName(rule: BudgetRule, day: LocalDay): string | null {
  const name = periodOf(rule.period, day)
  return name === '' ? null : name
}
