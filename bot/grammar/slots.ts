import type { Token } from './normalise.ts'
import { monthNumber } from './dates.ts'
import { localDay } from '../../src/base/period.ts'
import { readKeyword, readText } from './keywords.ts'
import { isPlain } from './format.ts'
import { bareName, hasPlace, listed, put, putTerm, type Scan, takes } from './scan.ts'
import { readTerm } from './terms.ts'
import { countNouns, fillers, wholeNumber, wordAt } from './words.ts'

/** Reads one slot at a place; says how many words it used, 0 when they are none of its. */
type Reader = (scan: Scan, at: number) => number

const readers: readonly Reader[] = [
  readQuotedPurpose,
  readListed,
  readKeyword,
  readMonth,
  readMore,
  readSize,
  readCount,
  readTime,
  readPurposeFor,
  readNumber,
  readFiller,
]

/** Reads every slot of the line, in whatever order they stand; what no slot wants is left in `rest`. */
export function readSlots(scan: Scan): void {
  let at = 0
  while (at < scan.tokens.length) {
    const used = readOne(scan, at)
    const token = scan.tokens[at]
    if (used === 0 && token !== undefined) scan.rest.push(token)
    at += Math.max(1, used)
  }
}

function readOne(scan: Scan, at: number): number {
  for (const read of readers) {
    const used = read(scan, at)
    if (used > 0) return used
  }
  return 0
}

function readQuotedPurpose(scan: Scan, at: number): number {
  const token = scan.tokens[at]
  if (token?.kind !== 'quoted') return 0
  if (token.text.trim() === '') return 1
  const nameIsNext = hasPlace(scan, 'machine') && scan.slots.machine === undefined && scan.rest.length === 0
  if (!takes(scan, 'text') || nameIsNext || scan.slots.purpose !== undefined) return 0
  put(scan, 'purpose', token.text)
  return 1
}

/** Names that are listed need no word before them. */
function readListed(scan: Scan, at: number): number {
  const token = scan.tokens[at]
  if (token?.kind !== 'word') return 0
  // Where words of the grammar may stand, what is called like one must be quoted: they cannot change with what people own.
  if (scan.row.takes.length > 0 && !isPlain(bareName(token.text))) return 0
  const { machines, templates, budgets, hosts } = scan.context.lexicon
  const machine = listed(token.text, machines)
  if (machine !== undefined && hasPlace(scan, 'machine') && scan.slots.machine === undefined) {
    put(scan, 'machine', machine)
    return 1
  }
  if (machine !== undefined && hasPlace(scan, 'machines')) {
    scan.rest.push(token)
    return 1
  }
  return putListed(scan, token, { template: templates, budget: budgets, host: hosts })
}

function putListed(
  scan: Scan,
  token: Token,
  lists: Record<'template' | 'budget' | 'host', readonly string[]>,
): number {
  for (const slot of ['template', 'budget', 'host'] as const) {
    const name = listed(token.text, lists[slot])
    if (name === undefined || !takes(scan, slot)) continue
    put(scan, slot, name)
    return 1
  }
  return 0
}

/** `2026-11`, `11/2026`, `nov 2026`, `november`, `last month`. */
function readMonth(scan: Scan, at: number): number {
  if (!takes(scan, 'month')) return 0
  const word = wordAt(scan.tokens, at)
  const next = wordAt(scan.tokens, at + 1)
  const numeric = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(word) ?? /^(0?[1-9]|1[0-2])\/(\d{4})$/.exec(word)
  if (numeric !== null) {
    const [, a = '', b = ''] = numeric
    put(scan, 'month', a.length === 4 ? `${a}-${b}` : `${b}-${a.padStart(2, '0')}`)
    return 1
  }
  const today = localDay(scan.context.now, scan.context.zone)
  const year = Number(today.slice(0, 4))
  const month = Number(today.slice(5, 7))
  if ((word === 'last' || word === 'this') && next === 'month') {
    const [y, m] = word === 'this' ? [year, month] : month === 1 ? [year - 1, 12] : [year, month - 1]
    put(scan, 'month', `${y}-${String(m).padStart(2, '0')}`)
    return 2
  }
  const named = monthNumber(word)
  if (named === undefined) return 0
  const said = /^\d{4}$/.test(next) ? next : undefined
  put(scan, 'month', `${said ?? (Number(named) > month ? year - 1 : year)}-${named}`)
  return said === undefined ? 1 : 2
}

const resources: ReadonlyMap<string, 'cpus' | 'memory'> = new Map([
  ...'cpu cpus core cores vcpu vcpus processor processors'.split(' ').map((name) => [name, 'cpus'] as const),
  ...'memory ram mem'.split(' ').map((name) => [name, 'memory'] as const),
])

/** `more memory`, and also `2 gb more memory`: more by how much than what, only its owner can say. */
function readMore(scan: Scan, at: number): number {
  if (!takes(scan, 'more')) return 0
  const from = readAmount(scan, at)?.used ?? 0
  if (!['more', 'extra', 'additional', 'bigger'].includes(wordAt(scan.tokens, at + from))) return 0
  const after = wordAt(scan.tokens, at + from + 1)
  const resource = resources.get(after) ?? readAmount(scan, at)?.resource
  if (resource === undefined) return 0
  put(scan, 'more', resource)
  return from + (resources.has(after) ? 2 : 1)
}

function readSize(scan: Scan, at: number): number {
  const amount = takes(scan, 'size') ? readAmount(scan, at) : undefined
  if (amount === undefined) return 0
  if (amount.value === 0) scan.problem ??= 'A server needs at least one CPU and some memory.'
  put(scan, amount.resource === 'cpus' ? 'cpus' : 'memoryGb', amount.value)
  return amount.used
}

interface Amount {
  used: number
  resource: 'cpus' | 'memory'
  value: number
}

/** `2cpu`, `2 cpus`, `4c`, `4gb`, `4 GB`, `4g`, `two cores`, `512mb`. */
function readAmount(scan: Scan, at: number): Amount | undefined {
  if (scan.tokens[at]?.kind !== 'word') return undefined
  const word = wordAt(scan.tokens, at)
  const joined = /^(\d{1,6}(?:\.\d{1,3})?)-?([a-z]{1,10})$/.exec(word)
  if (joined !== null) return amountOf(Number(joined[1]), joined[2] ?? '', 1)
  const count = /^\d{1,6}\.\d{1,3}$/.test(word) ? Number(word) : wholeNumber(word)
  return count === undefined ? undefined : amountOf(count, wordAt(scan.tokens, at + 1), 2)
}

function amountOf(value: number, unit: string, used: number): Amount | undefined {
  if (/^(gb?|gib|gigs?|gigabytes?)$/.test(unit)) return { used, resource: 'memory', value }
  if (/^(mb|mib|megabytes?)$/.test(unit)) return { used, resource: 'memory', value: value / 1024 }
  if (unit !== 'c' && resources.get(unit) !== 'cpus') return undefined
  return Number.isInteger(value) ? { used, resource: 'cpus', value } : undefined
}

/** `x3`, `3x`, `20 servers`, `20 new slc5 servers`, `10 times`. */
function readCount(scan: Scan, at: number): number {
  if (!takes(scan, 'count') || scan.tokens[at]?.kind !== 'word') return 0
  const word = wordAt(scan.tokens, at)
  const marked = /^(?:[x×*](\d{1,5})|(\d{1,5})[x×])$/.exec(word)
  const count = marked === null ? countBeforeNoun(scan, at) : Number(marked[1] ?? marked[2])
  if (count === undefined) return 0
  if (count === 0) scan.problem ??= 'Say at least one.'
  put(scan, 'count', count)
  return marked === null && wordAt(scan.tokens, at + 1) === 'x' ? 2 : 1
}

function countBeforeNoun(scan: Scan, at: number): number | undefined {
  const count = wholeNumber(wordAt(scan.tokens, at))
  if (count === undefined) return undefined
  if (wordAt(scan.tokens, at + 1) === 'x') return count
  for (let next = at + 1; next <= at + 4; next++) {
    const word = wordAt(scan.tokens, next)
    if (countNouns.has(word)) return count
    const between = fillers.has(word) || listed(word, scan.context.lexicon.templates) !== undefined
    if (word === '' || !between) return undefined
  }
  return undefined
}

function readTime(scan: Scan, at: number): number {
  if (!takes(scan, 'term') || scan.tokens[at]?.kind === 'quoted') return 0
  const reading = readTerm(scan.tokens, at, scan.context)
  if (reading === undefined) return 0
  putTerm(scan, reading, at)
  return reading.used
}

/** "for the AFS team": a purpose, since it is no length of time. */
function readPurposeFor(scan: Scan, at: number): number {
  const isRequest = takes(scan, 'text') && !hasPlace(scan, 'machine')
  if (!isRequest || wordAt(scan.tokens, at) !== 'for' || scan.slots.purpose !== undefined) return 0
  const { text, used } = readText(scan, at + 1)
  if (text !== '') put(scan, 'purpose', text)
  return used + 1
}

/** A number without a unit: copies of an image can be nothing else, the rest is asked about. */
function readNumber(scan: Scan, at: number): number {
  const number = scan.tokens[at]?.kind === 'word' ? wholeNumber(wordAt(scan.tokens, at)) : undefined
  if (number === undefined || scan.number !== undefined) return 0
  if (scan.row.verb === 'capture') {
    put(scan, 'count', number)
    return 1
  }
  if (!takes(scan, 'term') && !takes(scan, 'size')) return 0
  scan.number = number
  return 1
}

function readFiller(scan: Scan, at: number): number {
  const word = scan.tokens[at]?.kind === 'word' ? wordAt(scan.tokens, at) : ''
  if (fillers.has(word)) return 1
  // "A small test server": these may also be the name of one, where a name is expected.
  const isName = hasPlace(scan, 'machine') || hasPlace(scan, 'machines')
  return !isName && ['test', 'testing', 'small', 'big', 'development', 'production'].includes(word) ? 1 : 0
}
