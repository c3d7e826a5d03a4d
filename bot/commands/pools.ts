import { rollPool, stopRoll } from '../../src/operations/roll-pool.ts'
import { showPool } from '../../src/operations/show-pool.ts'
import type { Card } from '../card.ts'
import { poolCareCard } from '../cards/pool.ts'
import { questionCard } from '../cards/questions.ts'
import { type Command, formatCommand } from '../grammar.ts'
import type { Talk } from './talk.ts'

/** A pool as its operators see it. */
export async function showCare(talk: Talk, { pool }: { pool?: string }): Promise<Card[]> {
  const name = pool ?? onlyPool(talk)
  if (name === undefined) return [whichPool(talk, 'Which pool?', 'desktop-pool')]
  return [poolCareCard(await talk.perform(showPool, { pool: name }), talk.drawing)]
}

/** A new version of the template: nobody is disturbed and it can be stopped, so it is not asked about twice. */
export async function roll(talk: Talk, { pool }: { pool?: string }): Promise<Card[]> {
  if (pool === undefined) return [whichPool(talk, 'Send a new version through which pool?', 'desktop-roll')]
  return [poolCareCard(await talk.perform(rollPool, { pool }), talk.drawing)]
}

export async function stopRolling(talk: Talk, pool: string): Promise<Card[]> {
  return [poolCareCard(await talk.perform(stopRoll, { pool }), talk.drawing)]
}

function onlyPool({ site: { pools } }: Talk): string | undefined {
  return pools.length === 1 ? pools[0]?.name : undefined
}

function whichPool({ site }: Talk, question: string, verb: 'desktop-pool' | 'desktop-roll'): Card {
  const command = (pool: string): Command => ({ verb, pool })
  return questionCard(
    question,
    site.pools.slice(0, 12).map(({ name }) => ({ label: name, line: formatCommand(command(name)) })),
  )
}
