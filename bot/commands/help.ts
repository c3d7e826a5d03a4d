import { hasRole } from '../../src/identity/person.ts'
import type { Card } from '../card.ts'
import { helpCard } from '../cards/help.ts'
import { helpFor, type Verb } from '../grammar.ts'
import type { Talk } from './talk.ts'

/** Verbs that only operators have a use for. */
const operatorVerbs: readonly Verb[] = [
  ...(['hosts', 'rebalance', 'drain', 'return'] as const),
  ...(['desktop-pool', 'desktop-roll', 'desktop-terminals'] as const),
]

/** Help for what this person may do. */
export async function help(talk: Talk, { word }: { word?: string }): Promise<Card[]> {
  const operator = hasRole(talk.caller, 'operator')
  const theirs = (verb: Verb): boolean => operator || !operatorVerbs.includes(verb)
  return [helpCard(helpFor(theirs, word))]
}
