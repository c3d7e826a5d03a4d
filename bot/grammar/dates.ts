import { DateTime } from 'luxon'
import { addDays, isLocalDay, type LocalDay, localDay } from '../../src/base/period.ts'
import type { Instant } from '../../src/base/clock.ts'
import type { Token } from './normalise.ts'
import { months, weekdays, wordAt } from './words.ts'

export interface Calendar {
  now: Instant
  /** The zone that days are counted in (IANA name). */
  zone: string
}

/** The days a date may mean (none: no such day), and the time of day when one was said, `HH:mm`. */
export interface DateReading {
  used: number
  days: LocalDay[]
  time: string | null
}

/**
 * Reads a day, and a time after it: `2026-12-31`, `31.12.2026`, `31 Dec 2026`, `Dec 31`, `fri 17:00`, `tomorrow`,
 * `eod`, `end of the month`, RFC 3339 instants. `01/02/2026` and `next friday` may mean two days.
 */
export function readDate(
  tokens: readonly Token[],
  at: number,
  calendar: Calendar & { relative: boolean },
): DateReading | undefined {
  if (tokens[at]?.kind !== 'word') return undefined
  const stamped = readStamp(wordAt(tokens, at), calendar.zone)
  if (stamped !== undefined) return stamped
  const today = localDay(calendar.now, calendar.zone)
  const day =
    readNumeric(wordAt(tokens, at)) ??
    readNamed(tokens, at, today) ??
    readEnd(tokens, at, today) ??
    (calendar.relative ? readWeekday(tokens, at, today) : undefined)
  if (day === undefined) return undefined
  const time = readTime(tokens, at + day.used)
  return { used: day.used + time.used, days: day.days.filter(isLocalDay), time: time.time }
}

interface DayReading {
  used: number
  days: LocalDay[]
}

function readStamp(word: string, zone: string): DateReading | undefined {
  const found = /^(\d{4}-\d\d-\d\d)t(\d\d:\d\d)(?::\d\d(?:\.\d{1,9})?)?(z|[+-]\d\d:?\d\d)?$/.exec(word)
  if (found === null) return undefined
  const at = DateTime.fromISO(word.toUpperCase(), found[3] === undefined ? { zone: 'utc' } : { zone })
  if (!at.isValid) return { used: 1, days: [], time: null }
  return { used: 1, days: [at.toFormat('yyyy-MM-dd')], time: at.toFormat('HH:mm') }
}

function readNumeric(word: string): DayReading | undefined {
  const iso = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(word)
  if (iso !== null) return { used: 1, days: [written(iso[1], iso[2], iso[3])] }
  const dotted = /^(\d{1,2})\.(\d{1,2})\.(\d{4}|\d\d)$/.exec(word)
  if (dotted !== null) return { used: 1, days: [written(dotted[3], dotted[2], dotted[1])] }
  const slashed = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d\d)$/.exec(word)
  if (slashed === null) return undefined
  // Day first at CERN, month first across the ocean: only the calendar may rule one out.
  const [, a, b, year] = slashed
  const days = [written(year, b, a), written(year, a, b)].filter(isLocalDay)
  return { used: 1, days: [...new Set(days)] }
}

function written(year = '', month = '', day = ''): LocalDay {
  return `${year.length === 2 ? `20${year}` : year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
}

/** `31 Dec 2026`, `31st of December`, `Dec 31 2026`, `31-Dec-2026`. Without a year it is the next such day. */
function readNamed(tokens: readonly Token[], at: number, today: LocalDay): DayReading | undefined {
  const joined = /^(\d{1,2})-?([a-z]{3,9})-?(\d{4})$/.exec(wordAt(tokens, at))
  if (joined !== null) {
    const month = monthNumber(joined[2] ?? '')
    return month === undefined ? undefined : { used: 1, days: [written(joined[3], month, joined[1])] }
  }
  const dayFirst = dayNumber(wordAt(tokens, at))
  const monthAt = dayFirst === undefined ? at : wordAt(tokens, at + 1) === 'of' ? at + 2 : at + 1
  const month = monthNumber(wordAt(tokens, monthAt))
  const day = dayFirst ?? dayNumber(wordAt(tokens, monthAt + 1))
  if (month === undefined || day === undefined) return undefined
  const yearAt = dayFirst === undefined ? monthAt + 2 : monthAt + 1
  const year = /^\d{4}$/.exec(wordAt(tokens, yearAt))?.[0]
  if (year !== undefined) return { used: yearAt + 1 - at, days: [written(year, month, day)] }
  const thisYear = written(today.slice(0, 4), month, day)
  const nextYear = written(String(Number(today.slice(0, 4)) + 1), month, day)
  return { used: yearAt - at, days: [thisYear >= today && isLocalDay(thisYear) ? thisYear : nextYear] }
}

function dayNumber(word: string): string | undefined {
  return /^(\d{1,2})(?:st|nd|rd|th)?$/.exec(word)?.[1]
}

/** The number of a month, from its name or at least three letters of it. */
export function monthNumber(word: string): string | undefined {
  if (word.length < 3) return undefined
  const index = months.findIndex((name) => name.startsWith(word))
  return index < 0 ? undefined : String(index + 1).padStart(2, '0')
}

/** `today`, `tomorrow`, `eod`, `eow`, `eom`, `the end of the year`. */
function readEnd(tokens: readonly Token[], at: number, today: LocalDay): DayReading | undefined {
  const word = wordAt(tokens, at)
  const short: Readonly<Record<string, string>> = {
    today: 'day',
    tonight: 'day',
    eod: 'day',
    eow: 'week',
    eom: 'month',
  }
  if (word === 'tomorrow') return { used: 1, days: [addDays(today, 1)] }
  if (Object.hasOwn(short, word)) return { used: 1, days: [endOf(short[word] ?? 'day', today)] }
  let next = word === 'the' ? at + 1 : at
  if (wordAt(tokens, next) !== 'end') return undefined
  next = wordAt(tokens, next + 1) === 'of' ? next + 2 : next + 1
  if (['the', 'this'].includes(wordAt(tokens, next))) next++
  const unit = wordAt(tokens, next)
  if (!['day', 'week', 'month', 'year'].includes(unit)) return undefined
  return { used: next + 1 - at, days: [endOf(unit, today)] }
}

function endOf(unit: string, today: LocalDay): LocalDay {
  const day = DateTime.fromISO(today, { zone: 'utc' })
  if (unit === 'week') return day.endOf('week').toFormat('yyyy-MM-dd')
  if (unit === 'month') return day.endOf('month').toFormat('yyyy-MM-dd')
  if (unit === 'year') return day.endOf('year').toFormat('yyyy-MM-dd')
  return today
}

/** On a Friday, `friday` may be today or in a week; `next friday` may always be either of two. */
function readWeekday(tokens: readonly Token[], at: number, today: LocalDay): DayReading | undefined {
  const lead = ['next', 'this', 'coming'].includes(wordAt(tokens, at)) ? 1 : 0
  const word = wordAt(tokens, at + lead)
  const index = word.length < 3 ? -1 : weekdays.findIndex((name) => name.startsWith(word))
  if (index < 0) return undefined
  const ahead = (index + 1 - DateTime.fromISO(today, { zone: 'utc' }).weekday + 7) % 7
  const first = addDays(today, ahead)
  const twice = wordAt(tokens, at) === 'next' || (ahead === 0 && lead === 0)
  return { used: lead + 1, days: twice ? [first, addDays(first, 7)] : [first] }
}

/** `17:00`, `at 17:00`, `5pm`, `noon`. */
function readTime(tokens: readonly Token[], start: number): { used: number; time: string | null } {
  const lead = wordAt(tokens, start) === 'at' ? 1 : 0
  const time = timeOfDay(wordAt(tokens, start + lead))
  return time === undefined ? { used: 0, time: null } : { used: lead + 1, time }
}

function timeOfDay(word: string): string | undefined {
  if (word === 'noon') return '12:00'
  const found = /^(\d{1,2})(?::(\d\d))?(am|pm)?$/.exec(word)
  const [, hourText, minute = '00', half] = found ?? []
  if (hourText === undefined || (found?.[2] === undefined && half === undefined)) return undefined
  const spoken = Number(hourText)
  if (half !== undefined && (spoken < 1 || spoken > 12)) return undefined
  const hour = half === undefined ? spoken : (spoken % 12) + (half === 'pm' ? 12 : 0)
  return hour > 23 || Number(minute) > 59 ? undefined : `${String(hour).padStart(2, '0')}:${minute}`
}
