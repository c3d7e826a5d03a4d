import { byMachine, costBars, type Costs, isNothing, sumOf } from '../../src/charts/costs.ts'
import { monthName } from '../../src/base/month.ts'
import type { Button, Card, Part } from '../card.ts'
import { capital } from './words.ts'
import { buttons, card, chart, lineButton, link, table, words } from './parts.ts'

/** What a card about costs is drawn from. */
export interface CostFacts {
  /** Whose they are: `T-1042`, `your servers`. */
  whose: string
  by: 'Server' | 'Budget'
  costs: Costs
  /** The budget whose statements can be looked at. */
  budget: string | undefined
  /** Budgets whose costs are a press away. */
  further: readonly string[]
  /** The page with all of it. */
  page: string
}

/** As many rows as a card has of what is in the portal. */
const shown = 10

/** What was charged and what is to come, by month: as a chart, and in figures below. */
export function costsCard(found: CostFacts): Card {
  const { whose, costs, budget, further, page } = found
  const parts = isEmpty(costs) ? [] : figures(found)
  return card({
    summary: sentence(found),
    title: `Costs of ${whose}`,
    tone: 'neutral',
    parts: [
      ...parts,
      buttons(
        ...(budget === undefined ? [] : statementButtons(budget, costs)),
        ...further.slice(0, 8).map((code) => lineButton(`Costs of ${code}`, `costs "${code}"`)),
      ),
      link('All figures in the portal', page),
    ],
  })
}

function isEmpty({ months }: Costs): boolean {
  return months.every(isNothing)
}

function sentence({ whose, costs }: CostFacts): string {
  const { months, charged, forecast, currency } = costs
  const [first, last] = [months.find((each) => !isNothing(each))?.month, months.at(-1)?.month]
  if (first === undefined || last === undefined) {
    return `${capital(whose)}: nothing was charged lately, and nothing is to come.`
  }
  const past = `${capital(whose)}: ${charged} ${currency} charged since ${monthName(first)}`
  return Number(forecast) === 0
    ? `${past}, and nothing to come.`
    : `${past}, and ${forecast} ${currency} to come up to ${monthName(last)} if nothing changes.`
}

function figures({ whose, costs, by }: CostFacts): (Part | undefined)[] {
  const rows = byMachine(costs)
  const left = rows.length - shown
  return [
    chart(costBars(costs, whose)),
    table(
      `By month, in ${costs.currency}`,
      ['Month', 'Charged', 'To come', 'Together'],
      [
        ...costs.months.slice(-shown).map((each) => rowOf(monthName(each.month), each)),
        rowOf('Together', costs),
      ],
    ),
    table(
      `By ${by.toLowerCase()}, in ${costs.currency}`,
      [by, 'Charged', 'To come', 'Together'],
      rows.slice(0, shown).map((row) => rowOf(row.machine, row)),
    ),
    left > 0 ? words(`${left} more cost less than these.`) : undefined,
  ]
}

function rowOf(name: string, amounts: { charged: string; forecast: string }): string[] {
  return [name, amounts.charged, amounts.forecast, sumOf(amounts)]
}

/** The statements of this month and of the one before it. */
function statementButtons(budget: string, { months, thisMonth }: Costs): (Button | undefined)[] {
  const past = months.filter(({ month }) => month <= thisMonth).slice(-2)
  return past.map(({ month }) =>
    lineButton(monthName(month), `costs "${budget}" ${month}`, {
      spoken: `Statement of ${budget} for ${monthName(month)}`,
    }),
  )
}
