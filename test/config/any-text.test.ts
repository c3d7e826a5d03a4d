import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkConfig } from '../../src/config.ts'
import { example } from './example.ts'

const lineCount = example.split('\n').length

test('whatever a file has come to hold, it is judged and never throws', () => {
  const place = fc.integer({ min: 0, max: example.length })
  const word = fc.constantFrom(
    '',
    '[',
    '}',
    '"',
    ': ',
    '\n',
    '\n  ',
    '- ',
    '*x',
    '&x ',
    '!!x ',
    'null',
    '1e999',
    '__proto__',
  )

  fc.assert(
    fc.property(place, fc.integer({ min: 0, max: 40 }), word, (at, length, put) => {
      const result = checkConfig(example.slice(0, at) + put + example.slice(at + length), 'site.yaml')

      const faults = 'faults' in result ? result.faults : []
      expect('config' in result || faults.length > 0).toBe(true)
      expect(faults.every(({ line }) => line >= 1 && line <= lineCount + 1)).toBe(true)
    }),
    { numRuns: 200 },
  )
})
