import { hasControl } from '../src/base/text.ts'
import { build } from './grammar/build.ts'
import type { Command } from './grammar/commands.ts'
import { formatCommand } from './grammar/format.ts'
import { findIntent, type Intent } from './grammar/intent.ts'
import { longestLine, normalise, tokenise } from './grammar/normalise.ts'
import { type Correction, type LineContext, putMachine, type Scan, shown, takes } from './grammar/scan.ts'
import { readSlots } from './grammar/slots.ts'
import { questionAbout } from './grammar/choices.ts'

export type { Command, PowerVerb, Verb, Wanted } from './grammar/commands.ts'
export { formatCommand } from './grammar/format.ts'
export { type Help, helpFor, type VerbHelp } from './grammar/help.ts'
export type { Lexicon, LineContext } from './grammar/scan.ts'
export { formatTerm, resolveTerm, type Term } from './grammar/terms.ts'

/** A line to press instead of typing it. Lines are read with `verbs: 'mention'`, wherever they are pressed. */
export interface Choice {
  /** At most 40 characters. */
  label: string
  line: string
}

export interface Suggestion extends Choice {
  /** Whether it may be run at a press; otherwise it is only put where the person can look at it and send it. */
  safe: boolean
}

/** What a line means: a command (maybe with pieces missing), a question to be answered by a press, or neither. */
export type Understood =
  | { kind: 'command'; command: Command }
  | { kind: 'ask'; question: string; choices: Choice[] }
  | { kind: 'unknown'; message: string; suggestions: Suggestion[] }

/** Understands one line that a person typed, in the contract's chat grammar. Never throws, whatever the text. */
export function parseLine(text: string, context: LineContext): Understood {
  if (text.length > longestLine)
    return unknown(`That is longer than ${longestLine} characters. Say it shorter.`)
  const line = normalise(text, context.lexicon.people ?? {})
  if (hasControl(line)) return unknown('That holds control characters or several lines. Type it on one line.')
  const tokens = tokenise(line)
  const intent = findIntent(tokens, context)
  if (intent === undefined) return unknownLine(tokens[0]?.text ?? line)
  const scan = scanned(line, intent, context)
  if (intent.machine !== undefined) putMachine(scan, intent.machine)
  readSlots(scan)
  return conclude(scan)
}

function scanned(line: string, intent: Intent, context: LineContext): Scan {
  const { row, tokens, sentence, correction, typed = '' } = intent
  const corrections = correction === undefined ? [] : [correction]
  const doubts = { corrections, choices: [], number: undefined, problem: undefined }
  return { row, typed, tokens, sentence, line, context, slots: {}, rest: [], ...doubts }
}

function conclude(scan: Scan): Understood {
  if (scan.sentence) scan.rest = []
  const command = build(scan)
  if (scan.problem !== undefined) return unknown(scan.problem)
  const [leftOver] = scan.rest
  const [slip] = scan.corrections
  const certain = leftOver === undefined && scan.choices.length <= 1 && scan.number === undefined
  if (slip !== undefined) return didYouMean(scan, slip, certain ? formatCommand(command) : corrected(scan))
  if (leftOver !== undefined) return notUnderstood(scan, leftOver.text, command)
  const question = questionAbout(scan, command)
  return question === undefined ? { kind: 'command', command } : { kind: 'ask', ...question }
}

function didYouMean(scan: Scan, slip: Correction, line: string): Understood {
  const typed = shown(slip.token.text)
  const known = slip.noun === 'server' ? `There is no server "${typed}" that you may see.` : undefined
  const word = ['verb', 'unit', 'list'].includes(slip.noun) ? `I do not know "${typed}".` : undefined
  const fact = known ?? word ?? `There is no ${slip.noun} "${typed}".`
  return unknown(`${fact} Did you mean ${slip.meant}?`, [suggestion(line, scan.row.safe)])
}

/** The line as it was typed, with what was probably meant in place of each slip. */
function corrected(scan: Scan): string {
  const fromLast = [...scan.corrections].sort((a, b) => b.token.start - a.token.start)
  const line = fromLast.reduce(
    (text, { token, meant }) => text.slice(0, token.start) + meant + text.slice(token.end),
    scan.line,
  )
  return scan.row.verb.startsWith('desktop-') && !/^\/?desktop\b/i.test(line) ? `desktop ${line}` : line
}

function notUnderstood(scan: Scan, word: string, command: Command): Understood {
  const line = formatCommand(command)
  // Words were left out of this line, so it is never run unseen.
  return unknown(`${whyNot(scan, shown(word))} It is written: ${scan.row.usage}`, [suggestion(line, false)])
}

function whyNot(scan: Scan, word: string): string {
  if (takes(scan, 'term') && /^[-+]?\d/.test(word)) {
    return `I cannot read "${word}". Times are written as 8h, 30d, 2 weeks, 1mo or 2026-12-31.`
  }
  if (scan.row.places.join() === 'machine' && scan.row.takes.length === 0) {
    return `One server at a time, please: I did not understand "${word}" here.`
  }
  return `I did not understand "${word}" here.`
}

function unknownLine(word: string): Understood {
  const message = `I do not know "${shown(word)}". Say "help" for what I can do.`
  return unknown(message, [suggestion('help', true)])
}

function suggestion(line: string, safe: boolean): Suggestion {
  return { label: shown(line), line, safe }
}

function unknown(message: string, suggestions: Suggestion[] = []): Understood {
  return { kind: 'unknown', message, suggestions }
}
