import { z } from 'zod'
import { type BudgetRule, overview } from '../../pricing/budget.ts'
import { formatMoney } from '../../pricing/money.ts'
import { notFound } from '../base/errors.ts'
import { hasRole, type Caller } from '../identity/person.ts'
import { mayUseBudget } from '../requests/approval.ts'
import type { ReadTransaction } from '../store/store.ts'
import { accountOf } from './accounts.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { MoneyShape } from './shapes/fields.ts'
import type { Site } from './site.ts'

const BudgetShape = z.object({
  code: z.string(),
  title: z.string(),
  holders: z.array(z.string()),
  limit: MoneyShape,
  held: MoneyShape,
  spent: MoneyShape,
  left: MoneyShape,
  /** What will have been spent when all that is approved has run to its end. */
  forecast: MoneyShape,
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
  async run({ tx, caller, site }, { code }) {
    const rule = site.budgets.find((known) => known.code === code.toUpperCase())
    if (rule === undefined || !maySeeBudget(caller, rule)) throw notFound('budget', code)
    return budgetView(tx, site, rule)
  },
})

export const listBudgets = query({
  name: 'list-budgets',
  summary: 'List the budgets that you may use or look after.',
  http: { method: 'GET', path: '/budgets' },
  input: z.object({}),
  output: z.object({ items: z.array(BudgetShape) }),
  allow: anybody,
  async run({ tx, caller, site }) {
    const mine = site.budgets.filter((rule) => maySeeBudget(caller, rule))
    return { items: await Promise.all(mine.map((rule) => budgetView(tx, site, rule))) }
  },
})

function maySeeBudget(caller: Caller, rule: BudgetRule): boolean {
  return mayUseBudget(caller, rule) || hasRole(caller, 'operator') || hasRole(caller, 'auditor')
}

async function budgetView(tx: ReadTransaction, site: Site, rule: BudgetRule): Promise<BudgetView> {
  const stands = overview(rule, await accountOf(tx, rule.code))
  return {
    code: rule.code,
    title: rule.title,
    holders: rule.holders,
    limit: formatMoney(stands.limitMilli),
    held: formatMoney(stands.heldMilli),
    spent: formatMoney(stands.spentMilli),
    left: formatMoney(stands.leftMilli),
    forecast: formatMoney(stands.heldMilli + stands.spentMilli),
    share: Math.round(stands.share * 1000) / 1000,
    machines: await tx.machines.count('budget', rule.code),
    currency: site.currency,
  }
}
