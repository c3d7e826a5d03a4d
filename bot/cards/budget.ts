import { milliOf } from '../../pricing/money.ts'
import { counted, list } from '../../src/base/text.ts'
import type { BudgetView } from '../../src/operations/show-budget.ts'
import type { Card, Part } from '../card.ts'
import { buttons, card, facts, lineButton, table, words } from './parts.ts'
import { percent } from './words.ts'

/** What stands on a budget, with what is left first. */
export function budgetCard(budget: BudgetView): Card {
  const { code, left, limit, currency } = budget
  return card({
    summary: `${code} has ${left} of ${limit} ${currency} left${periodWords(budget)}.`,
    title: titleOf(budget),
    tone: toneOf(budget),
    parts: [words(closing(budget)), words(warning(budget)), ...standing(budget)],
  })
}

/** Its holders are told at 80 and at 100 %. The sentence is that of the moment, the figures are those of now. */
export function budgetWarningCard(budget: BudgetView, text: string): Card {
  const tone = toneOf(budget)
  return card({
    summary: text,
    title: titleOf(budget),
    tone: tone === 'neutral' ? 'warn' : tone,
    parts: [words(remedy(budget)), ...standing(budget)],
  })
}

function titleOf({ code, title }: BudgetView): string {
  return `${code} · ${title}`
}

function periodWords({ periodName }: BudgetView): string {
  return periodName === null ? '' : ` for ${periodName}`
}

function toneOf({ share, forecast, limit }: BudgetView): Card['tone'] {
  if (share >= 1) return 'bad'
  return share >= 0.8 || milliOf(forecast) > milliOf(limit) ? 'warn' : 'neutral'
}

function warning(budget: BudgetView): string | undefined {
  const { share, forecast, limit, currency } = budget
  if (share >= 1) return remedy(budget)
  if (milliOf(forecast) > milliOf(limit)) {
    return `If nothing changes, ${forecast} ${currency} will be spent, which is more than the limit.`
  }
  return share >= 0.8 ? `${percent(share)} of the limit is spent or held.` : undefined
}

function closing({ closed, open }: BudgetView): string | undefined {
  if (closed === null) return undefined
  return open
    ? `From ${closed} on nothing new may be put on it.`
    : `It is closed since ${closed}: nothing new is put on it, and what runs is charged as ever.`
}

function remedy({ share }: BudgetView): string {
  return share >= 1
    ? 'What costs money is refused from now on. Delete what is not needed, or have the limit raised.'
    : 'Delete what is not needed, or have the limit raised, before requests are refused.'
}

function standing(budget: BudgetView): (Part | undefined)[] {
  const { code, limit, held, spent, left, forecast, share, currency, periodName } = budget
  return [
    facts(
      ['Limit', `${limit} ${currency}${limitWords[budget.period]}`],
      ['Spent', `${spent} ${currency}`],
      ['Held for what is approved', `${held} ${currency}`],
      ['Left', `${left} ${currency}; ${percent(share)} of the limit is taken`],
      [
        periodName === null ? 'When all of it has run' : `At the end of ${periodName}`,
        `${forecast} ${currency} spent`,
      ],
      ['Servers', counted(budget.machines, 'server')],
      ['Holders', list(budget.holders)],
      ['Today also', list(budget.delegates)],
    ),
    buttons(lineButton(`Costs of ${code}`, `costs "${code}"`)),
  ]
}

const limitWords: Readonly<Record<BudgetView['period'], string>> = {
  total: '',
  year: ' a year',
  quarter: ' a quarter',
  month: ' a month',
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
        ['Code', 'Title', 'Left', 'Limit', 'Taken', 'Forecast', 'Holders'],
        budgets.map(({ code, title, left, limit, share, forecast, currency, holders, period }) => [
          code,
          title,
          `${left} ${currency}`,
          `${limit} ${currency}${limitWords[period]}`,
          percent(share),
          `${forecast} ${currency}`,
          list(holders),
        ]),
      ),
      buttons(...budgets.slice(0, 8).map(({ code }) => lineButton(code, `budget "${code}"`))),
    ],
  })
}
