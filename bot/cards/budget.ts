import { counted, list } from '../../src/base/text.ts'
import type { Card } from '../card.ts'
import { card, facts, table } from './parts.ts'
import { percent } from './words.ts'

/** A budget as its operation shows it. */
export interface BudgetView {
  code: string
  title: string
  holders: readonly string[]
  limit: string
  held: string
  spent: string
  left: string
  forecast: string
  share: number
  machines: number
  currency: string
}

/** What stands on a budget, with what is left first. */
export function budgetCard(budget: BudgetView): Card {
  const { code, title, left, limit, held, spent, forecast, share, currency } = budget
  return card({
    summary: `${code} has ${left} of ${limit} ${currency} left.`,
    title: `${code} · ${title}`,
    tone: share >= 1 ? 'bad' : share >= 0.9 ? 'warn' : 'neutral',
    parts: [
      facts(
        ['Limit', `${limit} ${currency}`],
        ['Spent', `${spent} ${currency}`],
        ['Held for what is approved', `${held} ${currency}`],
        ['Left', `${left} ${currency}; ${percent(share)} of the limit is taken`],
        ['When all of it has run', `${forecast} ${currency} spent`],
        ['Servers', counted(budget.machines, 'server')],
        ['Holders', list(budget.holders)],
      ),
    ],
  })
}

export function budgetsCard(budgets: readonly BudgetView[]): Card {
  const [only] = budgets
  if (budgets.length === 1 && only !== undefined) return budgetCard(only)
  return card({
    summary:
      only === undefined
        ? 'There is no budget that you may use. Ask an operator to add you to one.'
        : `You may use or look after ${budgets.length} budgets.`,
    title: 'Budgets',
    tone: 'neutral',
    parts: [
      table(
        'Budgets',
        ['Code', 'Title', 'Left', 'Limit', 'Taken', 'Holders'],
        budgets.map(({ code, title, left, limit, share, currency, holders }) => [
          code,
          title,
          `${left} ${currency}`,
          `${limit} ${currency}`,
          percent(share),
          list(holders),
        ]),
      ),
    ],
  })
}
