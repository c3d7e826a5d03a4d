import { Refusal } from '../../src/base/errors.ts'
import { enrolTerminal, listTerminals, removeTerminal } from '../../src/operations/manage-terminals.ts'
import type { Card } from '../card.ts'
import { saidCard } from '../cards/questions.ts'
import { enrolForm, noPool, terminalsCard, waitingTerminalsCard } from '../cards/terminals.ts'
import type { Talk } from './talk.ts'

type Fields = Readonly<Record<string, string>>

/** What waits to be enrolled, and what is known. */
export async function terminals(talk: Talk): Promise<Card[]> {
  const { items } = await talk.perform(listTerminals, {})
  const waits = items.some(({ standing }) => standing === 'waiting')
  const known = terminalsCard(items, talk.drawing)
  return waits ? [waitingTerminalsCard(items, talk.drawing), known] : [known]
}

/** The form for one that waits; whoever was quicker has answered already. */
export async function askEnrolment(talk: Talk, waiting: string): Promise<Card[]> {
  const { items } = await talk.perform(listTerminals, { standing: 'waiting' })
  if (!items.some(({ name }) => name === waiting)) return [waitingTerminalsCard(items, talk.drawing)]
  return [enrolForm(called(waiting), poolsOf(talk), [])]
}

export async function submitEnrolment(talk: Talk, waiting: string, fields: Fields): Promise<Card[]> {
  const isSaid = ([, value]: [string, string]) => value.trim() !== '' && value !== noPool
  const filled = Object.fromEntries(Object.entries(fields).filter(isSaid))
  try {
    const { name, pool } = await talk.perform(enrolTerminal, { name: '', ...filled, waiting })
    const where = pool === null ? 'People log in there.' : `It opens desktops of pool ${pool}.`
    return [saidCard(name, `Terminal ${name} is enrolled. ${where}`)]
  } catch (error) {
    if (!(error instanceof Refusal) || !retryable.includes(error.code)) throw error
    const faults = error.extras.errors ?? [{ path: 'name', message: error.message }]
    return [enrolForm(called(waiting), { ...poolsOf(talk), fields }, faults)]
  }
}

const retryable: readonly Refusal['code'][] = ['invalid_input', 'already_exists']

export async function deny(talk: Talk, waiting: string): Promise<Card[]> {
  await talk.perform(removeTerminal, { name: waiting })
  const { items } = await talk.perform(listTerminals, { standing: 'waiting' })
  return [waitingTerminalsCard(items, talk.drawing)]
}

/** One that waits is listed by its MAC after a mark. */
function called(waiting: string): { waiting: string; mac: string } {
  return { waiting, mac: waiting.replace(/^\?/, '') }
}

function poolsOf({ site }: Talk): { pools: string[] } {
  return { pools: site.pools.map(({ name }) => name) }
}
