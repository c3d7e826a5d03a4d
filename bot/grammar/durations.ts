import { type Duration, parseDuration, roughMillis } from '../../src/base/duration.ts'
import type { Token } from './normalise.ts'
import { fillers, guess, wholeNumber, wordAt } from './words.ts'

/** What a length of time may mean. More than one option, or a problem, is for the person to settle. */
export interface DurationReading {
  used: number
  options: { label: string; duration: Duration }[]
  /** A unit that was mistyped. */
  slip?: { at: number; meant: string }
  problem?: string
}

const second = 1000
const hour = 3_600_000
const unitParts: readonly (readonly [names: string, of: Duration])[] = [
  ['s sec secs second seconds', { months: 0, days: 0, millis: second }],
  ['m min mins minute minutes', { months: 0, days: 0, millis: 60 * second }],
  ['h hr hrs hour hours', { months: 0, days: 0, millis: hour }],
  ['d day days', { months: 0, days: 1, millis: 0 }],
  ['w wk wks week weeks', { months: 0, days: 7, millis: 0 }],
  ['mo mos mth mths month months', { months: 1, days: 0, millis: 0 }],
  ['y yr yrs year years', { months: 12, days: 0, millis: 0 }],
]
const units = new Map(unitParts.flatMap(([names, of]) => names.split(' ').map((name) => [name, of] as const)))

export function isUnit(word: string): boolean {
  return units.has(word)
}

/**
 * Reads `30d`, `1d12h`, `2 weeks`, `one month`, `1 week and 2 days`, `P3D`. `m` is minutes and `mo` months; a lone
 * capital `M` may be either. A bare number is read, as hours, days or weeks, only when `bare` allows it.
 */
export function readDuration(
  tokens: readonly Token[],
  at: number,
  options: { bare: boolean },
): DurationReading | undefined {
  const first = tokens[at]
  if (first === undefined || first.kind !== 'word') return undefined
  const text = first.text.replace(/^\+/, '')
  const iso = /^p/i.test(text) ? parseDuration(text.toUpperCase()) : undefined
  if (iso !== undefined) return bounded(1, [{ label: '', duration: iso }])
  if (/^\d{1,6}M$/.test(text)) return eitherUnit(1, Number(text.slice(0, -1)), ['month', 'minute'])
  const read = readPieces(tokens, at) ?? readSlip(tokens, at, text)
  return read ?? (options.bare ? readBare(text) : undefined)
}

function readPieces(tokens: readonly Token[], start: number): DurationReading | undefined {
  let total: Duration = { months: 0, days: 0, millis: 0 }
  let at = start
  for (;;) {
    const from = at > start && wordAt(tokens, at) === 'and' ? at + 1 : at
    const piece = readPiece(tokens, from)
    if (piece === undefined) break
    total = plus(total, piece.duration)
    at = from + piece.used
  }
  return at === start ? undefined : bounded(at - start, [{ label: '', duration: total }])
}

function readPiece(tokens: readonly Token[], at: number): { used: number; duration: Duration } | undefined {
  if (tokens[at]?.kind !== 'word') return undefined
  const word = wordAt(tokens, at).replace(/^\+/, '')
  const compact = readCompact(word)
  if (compact !== undefined) return { used: 1, duration: compact }
  const count = countAt(word)
  if (count === undefined) return undefined
  const unitAt = ['more', 'full', 'whole', 'further'].includes(wordAt(tokens, at + 1)) ? at + 2 : at + 1
  const unit = units.get(wordAt(tokens, unitAt))
  const duration = unit === undefined ? undefined : times(unit, count)
  return duration === undefined ? undefined : { used: unitAt + 1 - at, duration }
}

/** `30d`, `1d12h`, `1.5h`: numbers with their units run together. */
function readCompact(word: string): Duration | undefined {
  const piece = /(\d{1,6}(?:\.\d{1,2})?)([a-z]+)/y
  let total: Duration = { months: 0, days: 0, millis: 0 }
  while (piece.lastIndex < word.length) {
    const found = piece.exec(word)
    const unit = units.get(found?.[2] ?? '')
    const duration = unit === undefined ? undefined : times(unit, Number(found?.[1]))
    if (duration === undefined) return undefined
    total = plus(total, duration)
  }
  return word === '' ? undefined : total
}

/** A number before a unit: also `a`, `another` and fractions. */
function countAt(word: string): number | undefined {
  if (['a', 'an', 'another'].includes(word)) return 1
  if (/^\d{1,6}\.\d{1,2}$/.test(word)) return Number(word)
  return wholeNumber(word)
}

/** Nothing when a part would not come out whole: half a day has no meaning on a calendar. */
function times(unit: Duration, count: number): Duration | undefined {
  const duration = {
    months: unit.months * count,
    days: unit.days * count,
    millis: Math.round(unit.millis * count),
  }
  return Number.isInteger(duration.months) && Number.isInteger(duration.days) ? duration : undefined
}

function plus(a: Duration, b: Duration): Duration {
  return { months: a.months + b.months, days: a.days + b.days, millis: a.millis + b.millis }
}

/** A number before a mistyped unit, such as `3 dyas`. */
function readSlip(tokens: readonly Token[], at: number, text: string): DurationReading | undefined {
  const count = wholeNumber(text.toLowerCase())
  const word = wordAt(tokens, at + 1)
  if (count === undefined || fillers.has(word) || isUnit(word)) return undefined
  const meant = guess(word, longUnits)
  const unit = units.get(meant ?? '')
  const duration = unit === undefined ? undefined : times(unit, count)
  if (meant === undefined || duration === undefined) return undefined
  return { ...bounded(2, [{ label: '', duration }]), slip: { at: at + 1, meant } }
}

const longUnits = [...units.keys()].filter((name) => name.length > 3)

function readBare(text: string): DurationReading | undefined {
  const count = wholeNumber(text.toLowerCase())
  return count === undefined ? undefined : eitherUnit(1, count, ['hour', 'day', 'week'])
}

/** One number with each of several units, for the person to choose. */
export function eitherUnit(used: number, count: number, names: readonly string[]): DurationReading {
  const options = names.map((name) => ({
    label: `${count} ${name}${count === 1 ? '' : 's'}`,
    duration: times(units.get(name) ?? hours(1), count) ?? hours(count),
  }))
  return bounded(used, options)
}

function hours(count: number): Duration {
  return { months: 0, days: 0, millis: count * hour }
}

const longest = roughMillis({ months: 1200, days: 0, millis: 0 })

function bounded(used: number, options: DurationReading['options']): DurationReading {
  if (options.every(({ duration }) => roughMillis(duration) === 0)) {
    return {
      used,
      options,
      problem: 'The length of time must be more than nothing, such as 8h, 30d or 2 weeks.',
    }
  }
  if (options.some(({ duration }) => roughMillis(duration) > longest)) {
    return { used, options, problem: 'That is more than a hundred years. Say "never" for no end at all.' }
  }
  return { used, options }
}
