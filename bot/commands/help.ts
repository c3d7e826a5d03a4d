import { hasRole } from '../../src/identity/person.ts'
import type { Card } from '../card.ts'
import { helpCard } from '../cards/help.ts'
import { helpFor, type Verb } from '../grammar.ts'
import { usageByName } from '../grammar/usage.ts'
import { isLater, later, laterVerbs } from './later.ts'
import type { Talk } from './talk.ts'

/** Verbs that only operators have a use for. */
const operatorVerbs: readonly Verb[] = ['hosts', 'drain', 'return']

/** Help for what this person may do. Verbs that are not built yet are named apart, so that nobody looks for them. */
export async function help(talk: Talk, { word }: { word?: string }): Promise<Card[]> {
  const operator = hasRole(talk.caller, 'operator')
  const theirs = (verb: Verb): boolean => operator || !operatorVerbs.includes(verb)
  const asked = word === undefined ? undefined : usageByName.get(word)?.verb
  if (asked !== undefined && isLater(asked) && theirs(asked)) return later(talk, { verb: asked })
  const found = helpFor((verb) => theirs(verb) && !isLater(verb), word)
  return [helpCard(found, laterVerbs.filter(theirs))]
}
