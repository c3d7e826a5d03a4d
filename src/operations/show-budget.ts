import { z } from 'zod'
import { type BudgetRule, overview } from '../../pricing/budget.ts'
import { accountId, BudgetPeriod } from '../../pricing/budget-period.ts'
import { formatMoney } from '../../pricing/money.ts'
import { notFound } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import { hasRole, type Caller } from '../identity/person.ts'
import { isClosedOn, mayUseBudget } from '../requests/approval.ts'
import { accountOf } from './accounts.ts'
import { beyondHolds, periodName } from './forecast.ts'
import { query, type ReadContext } from './operation.ts'
import { anybody } from './rules.ts'
import { MoneyShape } from './shapes/fields.ts'

const BudgetShape = z.object({
  code: z.string(),
  title: z.string(),
  holders: z.array(z.string()),
  limit: MoneyShape,
  held: MoneyShape,
  spent: MoneyShape,
  left: MoneyShape,
  /** What will have been spent by the end of the period, or when all that is approved has run to its end. */
  forecast: MoneyShape,
  /** What the limit counts for. */
  period: BudgetPeriod,
  /** The period of today, such as `2026-Q4`; null where the limit counts for ever. */
  periodName: z.string().nullable(),
  /** Who decides in the holders' place today. */
  delegates: z.array(z.string()),
  /** The day from which nothing new is put on it, also one to come; null where there is none. */
  closed: z.string().nullable(),
  /** Whether something new may be put on it today. */
  open: z.boolean(),
  share: z.number(),
  machines: z.number(),
  currency: z.string(),
})
export type BudgetView = z.infer<typeof BudgetShape>

export const showBudget = query({
  name: 'show-budget',
  summary: 'Show what stands on a budget.',
  http: { method: 'GET', path: '/budgets/{code}' },
  input: z.object({ code: z.string().max(40) }),
  output: BudgetShape,
  allow: anybody,
  async run(context, { code }) {
    const { caller, site } = context
    const rule = site.budgets.find((known) => known.code === code.toUpperCase())
    if (rule === undefined || !maySeeBudget(caller, rule)) throw notFound('budget', code)
    return budgetView(context, rule)
  },
})

export const listBudgets = query({
  name: 'list-budgets',
  summary: 'List the budgets that you may use or look after.',
  http: { method: 'GET', path: '/budgets' },
  input: z.object({}),
  output: z.object({ items: z.array(BudgetShape) }),
  allow: anybody,
  async run(context) {
    const { caller, site } = context
    const mine = site.budgets.filter((rule) => maySeeBudget(caller, rule))
    return { items: await Promise.all(mine.map((rule) => budgetView(context, rule))) }
  },
})

/** Whoever may use it or look after it. */
export function maySeeBudget(caller: Caller, rule: BudgetRule): boolean {
  return mayUseBudget(caller, rule) || hasRole(caller, 'operator') || hasRole(caller, 'auditor')
}

async function budgetView({ tx, now, site }: ReadContext, rule: BudgetRule): Promise<BudgetView> {
  const today = localDay(now, site.timezone)
  const stands = overview(rule, await accountOf(tx, accountId(rule, today)))
  const toCome = stands.heldMilli + (await beyondHolds(tx, rule, site, today))
  return {
    code: rule.code,
    title: rule.title,
    holders: rule.holders,
    limit: formatMoney(stands.limitMilli),
    held: formatMoney(stands.heldMilli),
    spent: formatMoney(stands.spentMilli),
    left: formatMoney(stands.leftMilli),
    forecast: formatMoney(toCome + stands.spentMilli),
    period: rule.period,
    periodName: periodName(rule, today),
    delegates: rule.delegates,
    closed: rule.closed ?? null,
    open: !isClosedOn(rule, today),
    share: Math.round(stands.share * 1000) / 1000,
    machines: await tx.machines.count('budget', rule.code),
    currency: site.currency,
  }
}
