import fc from 'fast-check'
import { expect, test } from 'vitest'
import { macOf } from '../../src/machines/adapter.ts'

test('the address of an adapter is one that no maker gives out, and is written as six octets', () => {
  fc.assert(
    fc.property(fc.string(), (ref) => {
      const [first = ''] = macOf(ref).split(':')

      expect(macOf(ref)).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/)
      expect(Number.parseInt(first, 16) & 0b11).toBe(0b10)
    }),
  )
})

test('a machine keeps its address, and no two share one', () => {
  const refs = Array.from({ length: 20_000 }, (_, index) => `vm-${index}`)

  expect(new Set(refs.map(macOf)).size).toBe(refs.length)
  expect(macOf('vm-1')).toBe(macOf('vm-1'))
})
