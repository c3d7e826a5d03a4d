import type { Token } from './normalise.ts'
import {
  bareName,
  listed,
  put,
  putTerm,
  resolveName,
  resolveTemplate,
  type Scan,
  type Slots,
  takes,
} from './scan.ts'
import { eitherUnit } from './durations.ts'
import { lasting, readTerm } from './terms.ts'
import type { Slot } from './usage.ts'
import { fillers, guess, wholeNumber, wordAt } from './words.ts'

interface Keyword {
  slot: Slot
  /** Which of the slots it fills, where a slot of the grammar has several. */
  key: keyof Slots
}

const keywordRows: readonly (readonly [words: string, slot: Slot, key: keyof Slots])[] = [
  ['name named hostname called', 'name', 'name'],
  ['budget account', 'budget', 'budget'],
  ['why because purpose reason', 'text', 'purpose'],
  ['description desc', 'text', 'description'],
  ['admins admin administrators administrator', 'administrators', 'administrators'],
  ['host', 'host', 'host'],
  ['class', 'group', 'group'],
  ['disk', 'disk', 'diskGb'],
  ['boot', 'disk', 'boot'],
  ['template os', 'template', 'template'],
  ['image', 'image', 'image'],
  ['count', 'count', 'count'],
  ['cpu cpus core cores vcpu vcpus', 'size', 'cpus'],
  ['memory ram mem', 'size', 'memoryGb'],
  ['month', 'month', 'month'],
  ['days', 'term', 'term'],
]

export const keywords: ReadonlyMap<string, Keyword> = new Map(
  keywordRows.flatMap(([words, slot, key]) => words.split(' ').map((word) => [word, { slot, key }] as const)),
)

/** Reads `name web1`, `--name=web1`, `budget: T-1042`, `on HOST` and the like; how many words were used. */
export function readKeyword(scan: Scan, at: number): number {
  const token = scan.tokens[at]
  if (token === undefined || token.kind === 'quoted') return 0
  const word = token.text.toLowerCase()
  if (word === 'on') return readOn(scan, at)
  const keyword = keywords.get(word)
  if (keyword === undefined || !takes(scan, keyword.slot)) return 0
  const valueAt = wordAt(scan.tokens, at + 1) === 'is' ? at + 2 : at + 1
  const used = readValue(scan, keyword.key, valueAt)
  if (used > 0) return valueAt + used - at
  if (token.kind === 'flag' || (keyword.key === 'name' && scan.slots.name === undefined)) {
    scan.problem ??= `Say what comes after "${word}".`
    return 1
  }
  return 0
}

function readValue(scan: Scan, key: keyof Slots, at: number): number {
  const token = scan.tokens[at]
  if (token === undefined || token.kind === 'flag') return 0
  if (key === 'purpose' || key === 'description') return readWords(scan, key, at)
  if (key === 'administrators') return readAdministrators(scan, at)
  if (key === 'diskGb') return readDisk(scan, at)
  const word = wordAt(scan.tokens, at)
  if (key === 'count' || key === 'cpus' || key === 'memoryGb' || key === 'term')
    return readNumberFor(scan, key, at)
  if (token.kind === 'word' && (fillers.has(word) || keywords.has(word))) return 0
  return readName(scan, key, token)
}

function readName(scan: Scan, key: keyof Slots, token: Token): number {
  const { budgets, hosts, machines } = scan.context.lexicon
  if (key === 'budget') put(scan, key, resolveName(scan, token, 'budget', budgets))
  else if (key === 'host') put(scan, key, resolveName(scan, token, 'host', hosts))
  else if (key === 'template') put(scan, key, resolveTemplate(scan, token))
  else if (key === 'name') put(scan, key, token.text.toLowerCase())
  else if (key === 'group' && !scan.sentence) put(scan, key, token.text.toLowerCase())
  else if (key === 'boot' && !scan.sentence) put(scan, key, token.text.toLowerCase())
  else if (key === 'image' && scan.slots.machine === undefined && listed(token.text, machines)) return 0
  else if (key === 'image' && !scan.sentence) put(scan, key, token.text.toLowerCase())
  else return 0
  return 1
}

/** `count 3`, `cpus=4`, `--memory 8`, `days 30`. Words such as `4gb` after them are read by themselves. */
function readNumberFor(scan: Scan, key: 'count' | 'cpus' | 'memoryGb' | 'term', at: number): number {
  const word = wordAt(scan.tokens, at)
  const number = /^\d{1,6}\.\d{1,3}$/.test(word) ? Number(word) : wholeNumber(word)
  if (number === undefined || (key !== 'memoryGb' && !Number.isInteger(number))) return 0
  // "memory 4 gb": the unit that follows says it by itself.
  const unit = scan.tokens[at + 1]?.kind === 'word' ? wordAt(scan.tokens, at + 1) : ''
  if (key !== 'count' && /^([gm]i?b|g|c|cpus?|cores?)$/.test(unit)) return 0
  if (number === 0) scan.problem ??= 'A number here is at least one.'
  if (key === 'term') putTerm(scan, lasting(eitherUnit(1, number, ['day']), 0), at)
  else put(scan, key, number)
  return 1
}

/** `disk 20`, `disk 20gb`, `disk 20 gb`. */
function readDisk(scan: Scan, at: number): number {
  const said = /^(\d{1,5})(gi?b|g)?$/.exec(wordAt(scan.tokens, at))
  if (said === null) return 0
  const [, number, unit] = said
  if (Number(number) === 0) scan.problem ??= 'A number here is at least one.'
  put(scan, 'diskGb', Number(number))
  return unit === undefined && /^(gi?b|g)$/.test(wordAt(scan.tokens, at + 1)) ? 2 : 1
}

function readWords(scan: Scan, key: 'purpose' | 'description', at: number): number {
  const { text, used } = readText(scan, at)
  if (text !== '') put(scan, key, text)
  return used
}

/** Words up to the next slot, as they were typed; or one quoted text. */
export function readText(scan: Scan, start: number): { text: string; used: number } {
  const first = scan.tokens[start]
  if (first?.kind === 'quoted') return { text: first.text.trim() === '' ? '' : first.text, used: 1 }
  let end = start
  while (end < scan.tokens.length && (end === start || !startsSlot(scan, end))) end++
  let last = end - 1
  while (last >= start && fillers.has(wordAt(scan.tokens, last))) last--
  const until = scan.tokens[last]
  if (first === undefined || last < start || until === undefined) return { text: '', used: end - start }
  return { text: scan.line.slice(first.start, until.end).replace(/[.,;]+$/, ''), used: end - start }
}

/** Whether words that run on end here, since another slot surely starts. */
function startsSlot(scan: Scan, at: number): boolean {
  const token = scan.tokens[at]
  const word = wordAt(scan.tokens, at)
  const next = wordAt(scan.tokens, at + 1)
  if (token === undefined || token.kind !== 'word') return true
  const { budgets, templates } = scan.context.lexicon
  if (word === 'on') return listed(next, budgets) !== undefined
  if (word === 'budget') return listed(next, budgets) !== undefined || /\d/.test(next)
  if (['for', 'until', 'till'].includes(word)) {
    const reading = readTerm(scan.tokens, at, scan.context)
    return reading !== undefined && reading.problem === undefined
  }
  if (['why', 'because', 'admins', 'description'].includes(word)) return true
  return (
    listed(word, budgets) !== undefined ||
    listed(word, templates) !== undefined ||
    /^(\d{1,5}(c|cpus?|g|gb|x)|x\d{1,5})$/.test(word) ||
    (/^\d{1,5}$/.test(word) && /^(gb?|cpus?|cores?)$/.test(next))
  )
}

/** `admins @group, person`: to the last comma or `@`, or to the next slot. */
function readAdministrators(scan: Scan, start: number): number {
  const names: string[] = []
  let at = start
  for (; at < scan.tokens.length; at++) {
    const token = scan.tokens[at]
    const goesOn = at === start || scan.tokens[at - 1]?.comma === true || token?.text.startsWith('@') === true
    const isAnd = wordAt(scan.tokens, at) === 'and'
    if (token === undefined || (!goesOn && !isAnd && (token.kind !== 'word' || isOther(scan, at)))) break
    if (token.kind === 'flag') break
    if (!isAnd) names.push(bareName(token.text).toLowerCase())
  }
  const known = names.filter((name) => name !== '')
  if (known.length > 0) put(scan, 'administrators', [...new Set(known)])
  return at - start
}

function isOther(scan: Scan, at: number): boolean {
  const word = wordAt(scan.tokens, at)
  if (startsSlot(scan, at) || fillers.has(word) || keywords.has(word)) return true
  return readTerm(scan.tokens, at, scan.context) !== undefined || /^\d/.test(word)
}

/** "on X" is a budget, a template or a host, whichever is called so, or looks so. */
function readOn(scan: Scan, at: number): number {
  const token = scan.tokens[at + 1]
  if (token === undefined || token.kind === 'flag') return 0
  const { budgets, templates, hosts } = scan.context.lexicon
  const word = token.text.toLowerCase()
  if (keywords.has(word) || fillers.has(word)) return 1
  for (const [slot, names] of [
    ['budget', budgets],
    ['template', templates],
    ['host', hosts],
  ] as const) {
    if (takes(scan, slot) && listed(token.text, names) !== undefined) {
      put(scan, slot, listed(token.text, names) ?? word)
      return 2
    }
  }
  if (takes(scan, 'budget') && /^[a-z]{1,4}-\d+$/i.test(token.text)) {
    put(scan, 'budget', resolveName(scan, token, 'budget', budgets))
  } else if (takes(scan, 'template') && !takes(scan, 'host')) {
    put(scan, 'template', resolveTemplate(scan, token))
  } else if (takes(scan, 'host')) {
    putOnSomething(scan, token)
  } else {
    return 1
  }
  return 2
}

function putOnSomething(scan: Scan, token: Token): void {
  const { templates, hosts } = scan.context.lexicon
  const isTemplate =
    scan.slots.template === undefined &&
    guess(token.text, hosts) === undefined &&
    guess(token.text, templates) !== undefined
  if (isTemplate) put(scan, 'template', resolveTemplate(scan, token))
  else put(scan, 'host', resolveName(scan, token, 'host', hosts))
}
