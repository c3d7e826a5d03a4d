import { listHosts } from '../../src/operations/list-hosts.ts'
import { listPrices } from '../../src/operations/list-prices.ts'
import { listImages } from '../../src/operations/list-images.ts'
import { listTemplates } from '../../src/operations/list-templates.ts'
import { listBudgets, showBudget } from '../../src/operations/show-budget.ts'
import type { Card } from '../card.ts'
import { budgetCard, budgetsCard } from '../cards/budget.ts'
import { hostsCard } from '../cards/hosts.ts'
import { pricesCard } from '../cards/prices.ts'
import { templatesCard } from '../cards/templates.ts'
import type { Talk } from './talk.ts'

export async function showBudgets(talk: Talk, { budget }: { budget?: string }): Promise<Card[]> {
  if (budget !== undefined) return [budgetCard(await talk.perform(showBudget, { code: budget }))]
  return [budgetsCard((await talk.perform(listBudgets, {})).items)]
}

export async function prices(talk: Talk): Promise<Card[]> {
  return [pricesCard(await talk.perform(listPrices, {}))]
}

export async function templates(talk: Talk): Promise<Card[]> {
  const [known, images] = await Promise.all([talk.perform(listTemplates, {}), talk.perform(listImages, {})])
  return [templatesCard(known.items, images.items)]
}

export async function hosts(talk: Talk): Promise<Card[]> {
  return [hostsCard((await talk.perform(listHosts, {})).items, talk.drawing)]
}
