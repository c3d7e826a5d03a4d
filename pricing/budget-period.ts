import { z } from 'zod'
import { addDays, type LocalDay } from '../src/base/period.ts'
import type { Term } from './tariff.ts'

/** How often a budget's limit begins anew. */
export const BudgetPeriod = z.enum(['total', 'year', 'quarter', 'month'])
export type BudgetPeriod = z.infer<typeof BudgetPeriod>

/** A budget code, as far as it matters where money stands. */
export interface Periodic {
  code: string
  period: BudgetPeriod
}

/** The period that a day lies in, such as `2026`, `2026-Q4` or `2026-11`; empty for a limit that counts for ever. */
export function periodOf(period: BudgetPeriod, day: LocalDay): string {
  if (period === 'total') return ''
  if (period === 'year') return day.slice(0, 4)
  if (period === 'month') return day.slice(0, 7)
  return `${day.slice(0, 4)}-Q${Math.ceil(Number(day.slice(5, 7)) / 3)}`
}

/** The id of the account that money for a day stands on: one for each period that a limit counts for. */
export function accountId({ code, period }: Periodic, day: LocalDay): string {
  const name = periodOf(period, day)
  return name === '' ? code : `${code}|${name}`
}

/** The first day after the period that a day lies in; null where it has no end. */
export function periodEnd(period: BudgetPeriod, day: LocalDay): LocalDay | null {
  if (period === 'total') return null
  const months = { year: 12, quarter: 3, month: 1 }[period]
  const [year, month] = [Number(day.slice(0, 4)), Number(day.slice(5, 7))]
  const next = month - ((month - 1) % months) + months
  return firstOf(next > 12 ? { year: year + 1, month: next - 12 } : { year, month: next })
}

/** A term cut where a budget's limit begins anew, each part with its account. */
export function byAccount(term: Term, budget: Periodic): (Term & { account: string })[] {
  const parts: (Term & { account: string })[] = []
  for (let from = term.from; from < term.to;) {
    const end = periodEnd(budget.period, from) ?? term.to
    const to = end < term.to ? end : term.to
    parts.push({ from, to, account: accountId(budget, from) })
    from = to
  }
  return parts
}

/** The days of a month of the calendar, `2026-11`. */
export function daysOfMonth(month: string): Term {
  const from = `${month}-01`
  return { from, to: periodEnd('month', from) ?? from }
}

/** The month before or after another. */
export function monthAfter(month: string): string {
  return daysOfMonth(month).to.slice(0, 7)
}

export function monthBefore(month: string): string {
  return addDays(`${month}-01`, -1).slice(0, 7)
}

function firstOf({ year, month }: { year: number; month: number }): LocalDay {
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-01`
}
