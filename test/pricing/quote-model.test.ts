import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chargedTerm, extensionOrder, type Order, quote, type QuoteLine } from '../../pricing/quote.ts'
import { instant } from '../../src/base/clock.ts'
import { addDays, termOf } from '../../src/base/period.ts'
import { aTariff } from './builders.ts'
import { dayNumber, dayText, slowQuote } from './model.ts'

const firstDay = dayNumber('2007-06-01')
const lastDay = dayNumber('2013-06-01')

const days = fc.integer({ min: firstDay, max: lastDay })

const size = fc.record({
  cpus: fc.integer({ min: 1, max: 8 }),
  memoryGb: fc.oneof(
    fc.integer({ min: 1, max: 64 }),
    fc.integer({ min: 1, max: 8_000 }).map((thousandths) => thousandths / 1000),
  ),
})

const tariff = fc.record({
  name: fc.constant('any'),
  from: days.map(dayText),
  freeDays: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 }), fc.constant(3660)),
  freeDaysCover: fc.constantFrom('all' as const, 'base' as const),
  baseMilli: fc.integer({ min: 0, max: 5_000 }),
  perGbMilli: fc.integer({ min: 0, max: 3_000 }),
  perCpuMilli: fc.integer({ min: 0, max: 3_000 }),
})

const tariffs = fc.array(tariff, { minLength: 1, maxLength: 5 })

const length = fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 0, max: 400 }))

/** New machines and extensions, across price changes and leap days. */
const order: fc.Arbitrary<Order> = fc
  .record({ size, count: fc.integer({ min: 1, max: 20 }), created: days, age: length, term: length })
  .map(({ size, count, created, age, term }) => ({
    size,
    count,
    createdDay: dayText(created),
    from: dayText(created + age),
    to: dayText(created + age + term),
  }))

describe('a quote agrees with counting day by day', () => {
  test('in its total, its days and the sum of each component', () => {
    fc.assert(
      fc.property(order, tariffs, (order, tariffs) => {
        const slow = slowQuote(order, tariffs)

        const priced = quote(order, tariffs)

        expect(priced.totalMilli).toBe(slow.totalMilli)
        expect(priced.days).toBe(slow.days)
        expect(priced.freeDays).toBe(slow.freeDays)
        expect(priced.chargeableDays).toBe(slow.days - slow.freeDays)
        for (const item of ['base', 'memory', 'cpu', 'free'] as const) {
          expect(amountOf(priced.lines, item)).toBe(slow.amounts[item])
        }
      }),
      { numRuns: 400 },
    )
  })

  test('in its price per day, which is that of its last day with nothing free', () => {
    fc.assert(
      fc.property(order, tariffs, (order, tariffs) => {
        fc.pre(order.from < order.to)
        const day = dayText(dayNumber(order.to) - 1)
        const withoutFreeDays = tariffs.map((tariff) => ({ ...tariff, freeDays: 0 }))
        const slow = slowQuote({ ...order, createdDay: day, from: day, to: order.to }, withoutFreeDays)

        const priced = quote(order, tariffs)

        expect(priced.perDayMilli).toBe(slow.totalMilli)
      }),
    )
  })

  test('and each line is quantity × unit × days where memory is whole', () => {
    fc.assert(
      fc.property(order, tariffs, (order, tariffs) => {
        const whole = { ...order, size: { ...order.size, memoryGb: Math.ceil(order.size.memoryGb) } }

        const { lines } = quote(whole, tariffs)

        for (const line of lines) {
          expect(line.amountMilli).toBe(line.quantity * line.unitMilli * line.days)
          expect(line.quantity).toBeGreaterThan(0)
          expect(line.days).toBeGreaterThan(0)
        }
      }),
    )
  })
})

describe('the way in which days are bought makes no difference', () => {
  test('a term and its extension cost what both cost at once', () => {
    fc.assert(
      fc.property(order, length, tariffs, (order, more, tariffs) => {
        const first = chargedTerm(order)
        const end = addDays(first.to, more)

        const parts = [quote(order, tariffs), quote({ ...order, from: first.to, to: end }, tariffs)]
        const atOnce = quote({ ...order, to: end }, tariffs)

        expect(parts.reduce((sum, part) => sum + part.totalMilli, 0)).toBe(atOnce.totalMilli)
        expect(parts.reduce((sum, part) => sum + part.freeDays, 0)).toBe(atOnce.freeDays)
      }),
      { numRuns: 300 },
    )
  })

  test('a machine extended again and again costs what its whole life costs', () => {
    fc.assert(
      fc.property(
        size,
        days,
        fc.array(length, { minLength: 1, maxLength: 6 }),
        tariffs,
        (size, day, terms, tariffs) => {
          const createdDay = dayText(day)
          let end = createdDay
          let paidTo = createdDay
          let paid = 0

          for (const [index, term] of terms.entries()) {
            end = addDays(end, term)
            const order =
              index === 0
                ? { size, count: 1, createdDay, from: createdDay, to: end }
                : extensionOrder({ size, createdDay, paidTo }, end)
            paid += quote(order, tariffs).totalMilli
            paidTo = chargedTerm(order).to
          }

          expect(paid).toBe(
            quote({ size, count: 1, createdDay, from: createdDay, to: end }, tariffs).totalMilli,
          )
        },
      ),
    )
  })

  test('many machines cost what each costs alone', () => {
    fc.assert(
      fc.property(order, tariffs, (order, tariffs) => {
        const one = quote({ ...order, count: 1 }, tariffs)

        const all = quote(order, tariffs)

        expect(all.totalMilli).toBe(one.totalMilli * order.count)
      }),
    )
  })
})

describe('days of the calendar of any zone', () => {
  const zones = [
    'Europe/Zurich',
    'America/Sao_Paulo',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'Pacific/Apia',
    'UTC',
  ]

  test('are the days that a clock on the wall shows, whatever their hours', () => {
    const moments = fc.integer({ min: firstDay * 86_400_000, max: lastDay * 86_400_000 })
    fc.assert(
      fc.property(fc.constantFrom(...zones), moments, moments, (zone, a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)]

        const term = termOf({ from: instant(from), to: instant(to), zone })

        expect(term).toEqual({ from: wallDay(from, zone), to: wallDay(to, zone) })
      }),
    )
  })

  test('price a term by midnights passed, over changes of clock and leap days', () => {
    const hours = fc.integer({ min: 0, max: 24 * 500 })
    const starts = fc.integer({ min: firstDay * 24, max: lastDay * 24 })
    fc.assert(
      fc.property(fc.constantFrom(...zones), starts, hours, (zone, start, hours) => {
        const [from, to] = [start * 3_600_000, (start + hours) * 3_600_000]
        const term = termOf({ from: instant(from), to: instant(to), zone })
        const passed = dayNumber(wallDay(to, zone)) - dayNumber(wallDay(from, zone))

        const priced = quote({ size: { cpus: 1, memoryGb: 1 }, count: 1, createdDay: term.from, ...term }, [
          aTariff({ freeDays: 0 }),
        ])

        expect(priced.days).toBe(Math.max(1, passed))
        expect(priced.totalMilli).toBe(Math.max(1, passed) * 960)
      }),
    )
  })
})

function amountOf(lines: readonly QuoteLine[], item: QuoteLine['item']): bigint {
  return lines.filter((line) => line.item === item).reduce((sum, line) => sum + BigInt(line.amountMilli), 0n)
}

const calendars = new Map<string, Intl.DateTimeFormat>()

function wallDay(millis: number, zone: string): string {
  const calendar =
    calendars.get(zone) ??
    new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
  calendars.set(zone, calendar)
  return calendar.format(millis)
}
