import type { Card } from '../card.ts'
import { laterCard } from '../cards/help.ts'
import { lineButton } from '../cards/parts.ts'
import type { Verb } from '../grammar.ts'
import type { Talk } from './talk.ts'

/** Verbs that are understood and not built yet, with what does it meanwhile and lines to press instead. */
const meanwhile = {
  console: { use: 'Use "connect" to log in to a server that runs.', lines: ['connect'] },
} as const satisfies Partial<Record<Verb, { use: string; lines: readonly string[] }>>

export type LaterVerb = keyof typeof meanwhile

export function isLater(verb: Verb): verb is LaterVerb {
  return verb in meanwhile
}

export const laterVerbs: readonly LaterVerb[] = Object.keys(meanwhile).filter(
  (name): name is LaterVerb => name in meanwhile,
)

/** Says plainly that it is not built, and what to use instead. */
export async function later(_talk: Talk, { verb }: { verb: LaterVerb }): Promise<Card[]> {
  const { use, lines } = meanwhile[verb]
  return [
    laterCard(
      verb,
      use,
      lines.map((line) => lineButton(line, line)),
    ),
  ]
}
