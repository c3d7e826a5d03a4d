import { counted, list } from '../../src/base/text.ts'
import { drainHost } from '../../src/operations/drain-host.ts'
import { explainPlacementOf } from '../../src/operations/explain-placement.ts'
import { listHosts } from '../../src/operations/list-hosts.ts'
import { applyMoves, proposeMoves } from '../../src/operations/rebalance.ts'
import { returnHost } from '../../src/operations/return-host.ts'
import type { Card } from '../card.ts'
import { button, lineButton } from '../cards/parts.ts'
import { placementCard } from '../cards/placement.ts'
import { rebalanceCard, type RebalanceGoal } from '../cards/rebalance.ts'
import { confirmCard, questionCard, saidCard } from '../cards/questions.ts'
import { type Command, formatCommand } from '../grammar.ts'
import type { Talk } from './talk.ts'

/** Where servers would go: nothing is asked for by it. */
export async function explain(
  talk: Talk,
  { template, count, cpus, memoryGb, host }: Omit<Extract<Command, { verb: 'explain' }>, 'verb'>,
): Promise<Card[]> {
  const order = {
    ...(template === undefined ? {} : { template }),
    ...(count === undefined ? {} : { count }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(memoryGb === undefined ? {} : { memoryGb }),
    ...(host === undefined ? {} : { host }),
  }
  return [placementCard(await talk.perform(explainPlacementOf, order), template)]
}

/** What could be moved: shown first, and done by the button only if it is the same then. */
export async function rebalance(talk: Talk, { goal }: { goal?: RebalanceGoal }): Promise<Card[]> {
  return [rebalanceCard(await talk.perform(proposeMoves, goal === undefined ? {} : { goal }), goal)]
}

/** The button of a proposal: its id, and the goal that it was made for. */
export async function rebalanceNow(talk: Talk, value: string): Promise<Card[]> {
  const [id = '', word] = value.split(' ')
  const goal = word === 'spread' || word === 'consolidate' ? { goal: word } : {}
  const { machines } = await talk.perform(applyMoves, { id, ...goal })
  const text = `${list(machines)} ${machines.length === 1 ? 'is' : 'are'} being moved. You are told when that is done.`
  return [saidCard('Moves between hosts', text, 'wait')]
}

/** Emptying a host moves what others use, so it is asked about first, with how much that is. */
export async function drain(talk: Talk, { host }: { host?: string }): Promise<Card[]> {
  const { items } = await talk.perform(listHosts, {})
  if (host === undefined) return [whichHost('Empty which host?', 'drain', items)]
  const known = items.find(({ name }) => name === host)
  const holds =
    known === undefined || known.machines === 0
      ? 'Nothing is on it'
      : `${counted(known.machines, 'machine')} ${known.machines === 1 ? 'is' : 'are'} on it`
  return [
    confirmCard({
      question: `Empty ${host}?`,
      text: `${holds}. Owners are told; machines are moved without a break where it can be, else saved. Nothing new is placed on it.`,
      yes: button({
        label: `Empty ${host}`,
        action: 'drain-host',
        value: host,
        style: 'danger',
        spoken: `Empty ${host} for maintenance`,
      }),
      safer: lineButton('Show hosts', 'hosts'),
    }),
  ]
}

export async function drainNow(talk: Talk, host: string): Promise<Card[]> {
  const { machines } = await talk.perform(drainHost, { name: host })
  const what =
    machines.length === 0
      ? 'Nothing was on it.'
      : `${list(machines)} leave it. You are told when that is done.`
  return [saidCard(host, `${host} takes nothing new from now on. ${what}`, 'wait')]
}

export async function takeBack(talk: Talk, { host }: { host?: string }): Promise<Card[]> {
  if (host === undefined) {
    const { items } = await talk.perform(listHosts, {})
    return [
      whichHost(
        'Take which host back?',
        'return',
        items.filter(({ drain }) => drain !== null),
      ),
    ]
  }
  return returned(talk, host, false)
}

/** The button: also what was moved away comes back. */
export async function takeBackAll(talk: Talk, host: string): Promise<Card[]> {
  return returned(talk, host, true)
}

async function returned(talk: Talk, host: string, bringBack: boolean): Promise<Card[]> {
  const { coming, staying } = await talk.perform(returnHost, { name: host, bringBack })
  const back = coming.length === 0 ? '' : ` On the way back: ${list(coming)}.`
  const rest = staying.map(({ machine, why }) => ` ${machine} stays: ${why}`).join('')
  return [saidCard(host, `${host} is in use again.${back}${rest}`)]
}

function whichHost(question: string, verb: 'drain' | 'return', hosts: readonly { name: string }[]): Card {
  if (hosts.length === 0) return saidCard(question, 'No host is being kept free.', 'neutral')
  const choices = hosts
    .slice(0, 12)
    .map(({ name }) => ({ label: name, line: formatCommand({ verb, host: name }) }))
  return questionCard(question, choices)
}
