import { hasRole } from '../../src/identity/person.ts'
import type { Card } from '../card.ts'
import { helpCard } from '../cards/help.ts'
import { helpFor, parseLine, type Verb } from '../grammar.ts'
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
  const shown =
    found.kind === 'overview'
      ? { ...found, sentences: found.sentences.filter((line) => isBuilt(talk, line)) }
      : found
  return [helpCard(shown, laterVerbs.filter(theirs))]
}

/** Whether a sentence stands for something that is built. */
function isBuilt({ now, site }: Talk, line: string): boolean {
  const lexicon = {
    templates: site.templates.map(({ name }) => name),
    ...{ machines: ['webafs20'], budgets: [], pools: [], hosts: [] },
  }
  const understood = parseLine(line, { verbs: 'mention', now, zone: site.timezone, lexicon })
  return understood.kind === 'command' && !isLater(understood.command.verb)
}
