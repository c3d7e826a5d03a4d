import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tariffsOfClass } from '../../pricing/tariff-class.ts'
import { type Tariff, tariffOn } from '../../pricing/tariff.ts'
import { aTariff } from './builders.ts'
import { dayNumber, dayText } from './model.ts'

const standard = aTariff()
const dearer = aTariff({ name: 'dearer', from: '2026-01-01' })
const latest = aTariff({ name: 'latest', from: '2028-01-01' })
const batch = aTariff({ name: 'batch', from: '2027-01-01', for: ['batch'] })
const both = aTariff({ name: 'both', from: '2029-01-01', for: ['batch', 'desktops'] })
const tariffs = [standard, dearer, latest, batch, both]

describe('a class of machines goes', () => {
  test.each([
    ['central', '2026-06-01', 'dearer'],
    ['central', '2030-01-01', 'latest'],
    ['batch', '2025-12-31', 'standard'],
    ['batch', '2026-12-31', 'dearer'],
    ['batch', '2027-01-01', 'batch'],
    // A later one for the rest is not for a class that has its own.
    ['batch', '2028-06-01', 'batch'],
    ['batch', '2029-01-01', 'both'],
    ['desktops', '2028-12-31', 'latest'],
    ['desktops', '2029-01-01', 'both'],
  ])('%s on %s by %s', (priceClass, day, name) => {
    expect(tariffOn(day, tariffsOfClass(tariffs, priceClass)).name).toBe(name)
  })

  test('by its own before the first day, too, where none is for the rest', () => {
    expect(tariffOn('2020-01-01', tariffsOfClass([batch, both], 'desktops'))).toBe(both)
  })

  test('by none where none is for it', () => {
    expect(tariffsOfClass([batch], 'central')).toEqual([])
  })

  test('by what a slow reading of the list says, on every day', () => {
    const day = fc.integer({ min: dayNumber('2026-01-01'), max: dayNumber('2026-01-31') })
    const classes = fc.option(fc.subarray(['central', 'batch', 'desktops'], { minLength: 1 }), {
      nil: undefined,
    })
    const list = fc.array(fc.record({ day, classes }), { maxLength: 6 })
    fc.assert(
      fc.property(list, day, fc.constantFrom('central', 'batch', 'desktops'), (rows, on, priceClass) => {
        const made = rows.map(({ day: from, classes: own }, index) =>
          aTariff({
            ...{ name: `t${index}`, from: dayText(from) },
            ...(own === undefined ? {} : { for: own }),
          }),
        )
        const all = [standard, ...made]

        const found = tariffOn(dayText(on), tariffsOfClass(all, priceClass))

        expect(found).toBe(slowly(all, priceClass, on))
      }),
    )
  })
})

/** The latest that has begun for the class itself, else the latest that has begun for the rest. */
function slowly(all: readonly Tariff[], priceClass: string, on: number): Tariff {
  let own: Tariff | undefined
  let rest: Tariff | undefined
  for (const tariff of all) {
    if (dayNumber(tariff.from) > on) continue
    const isLater = (than: Tariff | undefined) =>
      than === undefined || dayNumber(tariff.from) >= dayNumber(than.from)
    if (tariff.for === undefined) rest = isLater(rest) ? tariff : rest
    else if (tariff.for.includes(priceClass)) own = isLater(own) ? tariff : own
  }
  return own ?? rest ?? standard
}
