import { besides, type Costs, isNothing, trimmed } from '../../src/charts/costs.ts'
import { listBudgets } from '../../src/operations/show-budget.ts'
import { showCosts } from '../../src/operations/show-costs.ts'
import { showStatement } from '../../src/operations/show-statement.ts'
import type { Card } from '../card.ts'
import { type CostFacts, costsCard } from '../cards/costs.ts'
import { saidCard } from '../cards/questions.ts'
import { statementCard, statementsCard } from '../cards/statement.ts'
import { pageAt } from '../facts.ts'
import type { Talk } from './talk.ts'

/** What things cost: of a budget or of what is yours by month, or one month's statement. */
export async function costs(
  talk: Talk,
  { budget, month }: { budget?: string; month?: string },
): Promise<Card[]> {
  if (month !== undefined) return [await statementOf(talk, budget, month)]
  if (budget !== undefined) return [costsCard(await ofBudget(talk, budget))]
  return [costsCard(await mine(talk))]
}

async function statementOf(talk: Talk, budget: string | undefined, month: string): Promise<Card> {
  const codes = budget === undefined ? await codesOf(talk) : [budget]
  const found = await Promise.all(codes.map((code) => talk.perform(showStatement, { code, month })))
  const [only] = found
  if (only === undefined) return saidCard('Costs', 'There is no budget that you may see.', 'neutral')
  if (found.length > 1) return statementsCard(found, month)
  return statementCard(only, pageAt(talk.site, `/budgets/${only.code}/${month}`), talk.drawing)
}

async function codesOf(talk: Talk): Promise<string[]> {
  return (await talk.perform(listBudgets, {})).items.map(({ code }) => code)
}

async function ofBudget(talk: Talk, budget: string): Promise<CostFacts> {
  const code = budget.toUpperCase()
  const found = trimmed(await talk.perform(showCosts, { budget: code }))
  const page = pageAt(talk.site, `/costs?of=${encodeURIComponent(code)}`)
  return { whose: code, by: 'Server', costs: found, budget: code, further: [], page }
}

/** One's own servers; for somebody who has none, the budgets that they may see, side by side. */
async function mine(talk: Talk): Promise<CostFacts> {
  const [own, further] = [trimmed(await talk.perform(showCosts, {})), await codesOf(talk)]
  const shown = { budget: undefined, further }
  const budgets = own.months.every(isNothing) ? await sideBySide(talk, further) : undefined
  if (budgets === undefined) {
    return { ...shown, whose: 'your servers', by: 'Server', costs: own, page: pageAt(talk.site, '/costs') }
  }
  const page = pageAt(talk.site, '/costs?of=budgets')
  return { ...shown, whose: 'your budgets', by: 'Budget', costs: trimmed(budgets), page }
}

async function sideBySide(talk: Talk, codes: readonly string[]): Promise<Costs | undefined> {
  return besides(
    await Promise.all(
      codes.map(async (code) => ({ code, costs: await talk.perform(showCosts, { budget: code }) })),
    ),
  )
}
