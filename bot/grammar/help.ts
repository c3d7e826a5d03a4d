import type { Verb } from './commands.ts'
import { type Slot, slotHelp, type Usage, usageByName, usages } from './usage.ts'
import { guess } from './words.ts'

export interface VerbHelp {
  verb: Verb
  usage: string
  summary: string
  /** Other words for it. */
  aliases: string[]
  options: { form: string; means: string }[]
  examples: string[]
}

/** What help shows: every verb that the person may use, one of them in full, or that there is no such word. */
export type Help =
  | { kind: 'overview'; groups: { title: Usage['group']; verbs: VerbHelp[] }[]; sentences: readonly string[] }
  | { kind: 'verb'; help: VerbHelp }
  | { kind: 'nothing'; word: string; suggestion: string | null }

/** Sentences that are understood as they stand. */
const sentences = [
  'I need 20 servers with slc5 for one month on T-1042',
  'I need an image of webafs20 replicated 10 times',
  'I need more memory for webafs20',
  'I do not need webafs20 for 2 months, give me an image I can reuse later',
  'I need a test environment for webafs20 on w2008r2',
]

/**
 * Help for somebody who may use certain verbs only; the others are as if they were not there.
 * @param word a verb, or any other way of typing it
 */
export function helpFor(may: (verb: Verb) => boolean, word?: string): Help {
  const allowed = usages.filter((row) => may(row.verb))
  if (word === undefined || word.trim() === '') return overview(allowed)
  const typed = word.trim().toLowerCase()
  const row = usageByName.get(typed) ?? usages.find(({ verb }) => verb === typed)
  if (row !== undefined && may(row.verb)) return { kind: 'verb', help: describe(row) }
  const meant = guess(
    typed,
    allowed.map(({ names }) => names[0] ?? ''),
  )
  return { kind: 'nothing', word: typed, suggestion: meant ?? null }
}

function overview(rows: readonly Usage[]): Help {
  const titles = [...new Set(rows.map((row) => row.group))]
  const groups = titles.map((title) => ({
    title,
    verbs: rows.filter((row) => row.group === title).map(describe),
  }))
  return { kind: 'overview', groups, sentences: rows.some((row) => row.verb === 'request') ? sentences : [] }
}

function describe(row: Usage): VerbHelp {
  const option = (slot: Slot) => ({ form: slotHelp[slot][0], means: slotHelp[slot][1] })
  return {
    verb: row.verb,
    usage: row.usage,
    summary: row.summary,
    aliases: row.names.slice(1),
    options: row.takes.map(option),
    examples: [...row.examples],
  }
}
