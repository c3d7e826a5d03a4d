import type { Instant } from '../../src/base/clock.ts'
import type { Wanted } from './commands.ts'
import type { Token } from './normalise.ts'
import type { Term, TermReading } from './terms.ts'
import type { Place, Slot, Usage } from './usage.ts'
import { guess } from './words.ts'

/** The names that a line may mean. `machines` and `pools` are those that the caller may see, all of them. */
export interface Lexicon {
  templates: readonly string[]
  machines: readonly string[]
  budgets: readonly string[]
  pools: readonly string[]
  hosts: readonly string[]
  /** Directory users by their id on the platform, for mentions that carry an id. */
  people?: Readonly<Record<string, string>>
}

export interface LineContext {
  /** Where it was typed: after a slash command, or in a message. A button's line is read as `mention`. */
  verbs: '/vm' | '/desktop' | 'mention'
  now: Instant
  /** The zone that "today" and "17:00" are in (IANA name). */
  zone: string
  lexicon: Lexicon
}

/** Everything that any verb may carry. */
export interface Slots extends Wanted {
  machine?: string
  more?: 'cpus' | 'memory'
  image?: string
  snapshot?: string
  file?: string
  month?: string
  pool?: string
}

/** A word that was probably another one. */
export interface Correction {
  noun: string
  token: Token
  meant: string
}

/** A line on its way to a command: what was understood so far, and what is in doubt. */
export interface Scan {
  readonly row: Usage
  /** The word that the verb was typed as; empty when it was none. */
  readonly typed: string
  readonly line: string
  readonly tokens: readonly Token[]
  readonly context: LineContext
  /** Whether it is a sentence, whose other words need no meaning. */
  readonly sentence: boolean
  readonly slots: Slots
  /** Words that are no slot: names by their place. */
  rest: Token[]
  readonly corrections: Correction[]
  /** What the time may mean, when that is more than one thing. */
  choices: TermReading['choices']
  /** A number that nobody said the unit of. */
  number: number | undefined
  problem: string | undefined
}

export function takes(scan: Scan, slot: Slot): boolean {
  return scan.row.takes.includes(slot)
}

export function hasPlace(scan: Scan, place: Place): boolean {
  return scan.row.places.includes(place)
}

/** Fills a slot. Saying two different things of one slot is a problem: money is never guessed. */
export function put<K extends keyof Slots>(scan: Scan, key: K, value: Required<Slots>[K]): void {
  const before = scan.slots[key]
  if (before !== undefined && JSON.stringify(before) !== JSON.stringify(value)) {
    scan.problem ??= `There are two answers for ${plainSlot[key] ?? key} in this line. Say it once.`
    return
  }
  scan.slots[key] = value
}

const plainSlot: Partial<Record<keyof Slots, string>> = {
  cpus: 'the CPUs',
  memoryGb: 'the memory',
  count: 'how many',
  term: 'how long',
  administrators: 'the administrators',
  purpose: 'the purpose',
}

/** Takes what was read about time: one meaning is kept, several are asked about. */
export function putTerm(scan: Scan, reading: TermReading, at: number): void {
  if (reading.problem !== undefined) scan.problem ??= reading.problem
  const slipped = reading.slip === undefined ? undefined : scan.tokens[reading.slip.at]
  if (slipped !== undefined && reading.slip !== undefined) {
    scan.corrections.push({ noun: 'unit', token: slipped, meant: reading.slip.meant })
  }
  const terms: Term[] = reading.choices.map(({ term }) => term)
  const [only] = terms
  if (reading.problem !== undefined || only === undefined) return
  if (terms.length === 1) put(scan, 'term', only)
  else if (scan.choices.length === 0) scan.choices = reading.choices
  else scan.rest.push(...scan.tokens.slice(at, at + reading.used))
}

/** A name as it stands in the lexicon, if it does; capitals, `@`, `#` and a machine's domain do not matter. */
export function listed(word: string, names: readonly string[]): string | undefined {
  const typed = bareName(word).toLowerCase()
  const host = typed.split('.')[0]
  return (
    names.find((name) => name.toLowerCase() === typed) ?? names.find((name) => name.toLowerCase() === host)
  )
}

export function bareName(word: string): string {
  return word.replace(/^[@#]/, '')
}

/** A name as it is listed, or the one that it probably was (which is then to be confirmed), or as it was typed. */
export function resolveName(scan: Scan, token: Token, noun: string, names: readonly string[]): string {
  const found = listed(token.text, names)
  if (found !== undefined) return found
  const typed = bareName(token.text)
  const meant = guess(typed, names)
  if (meant !== undefined) scan.corrections.push({ noun, token, meant })
  return meant ?? (noun === 'budget' ? typed.toUpperCase() : typed.toLowerCase())
}

export function putMachine(scan: Scan, token: Token): void {
  put(scan, 'machine', resolveName(scan, token, 'server', scan.context.lexicon.machines))
}

/** As `resolveName`, for templates: one that nobody offers is a problem. */
export function resolveTemplate(scan: Scan, token: Token): string {
  const { templates } = scan.context.lexicon
  const name = resolveName(scan, token, 'template', templates)
  if (templates.length > 0 && !templates.includes(name)) {
    const some = templates.slice(0, 12).join(', ')
    scan.problem ??= `There is no template "${shown(name)}". Templates are ${some}.`
  }
  return name
}

/** What a person typed, short enough to be said back. */
export function shown(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`
}
