import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainCrc32 } from '../../src/store/lowdb/lines.ts'
import { SortedList } from '../../src/store/lowdb/sorted-list.ts'

test('a sorted list is as a list that is sorted after each change, from any place in both directions', () => {
  // Enough numbers to make several chunks, and to empty them again.
  const numbers = fc.array(fc.nat({ max: 4000 }), { minLength: 1, maxLength: 3000, size: 'max' })
  fc.assert(
    fc.property(
      numbers,
      fc.array(fc.nat({ max: 4000 }), { maxLength: 3000 }),
      fc.nat({ max: 4000 }),
      (added, removed, at) => {
        const list = new SortedList<number>((a, b) => a - b)
        const model = new Set<number>()

        for (const number of added) {
          if (!model.has(number)) list.add(number)
          model.add(number)
        }
        for (const number of removed) {
          list.remove(number)
          model.delete(number)
        }

        const sorted = [...model].sort((a, b) => a - b)
        expect([...list.ascending()]).toEqual(sorted)
        expect([...list.descending()]).toEqual(sorted.toReversed())
        expect([...list.ascending((number) => number < at)]).toEqual(sorted.filter((number) => number >= at))
        expect([...list.descending((number) => number < at)]).toEqual(sorted.filter((n) => n < at).reverse())
        expect(list.first()).toBe(sorted[0])
      },
    ),
    { numRuns: 60 },
  )
})

test('the checksum that stands in for a missing one is the CRC-32 of gzip', () => {
  expect(plainCrc32(Buffer.from('123456789'))).toBe(0xcbf43926)
})
