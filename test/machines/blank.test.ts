import { expect, test } from 'vitest'
import { blankFor, blankView, blankWords } from '../../src/machines/blank.ts'

const empty = { name: 'empty', kind: 'empty' } as const
const bounded = { ...empty, diskGb: { default: 8, max: 50 } }

test.each([
  [empty, {}, { diskGb: 20, disc: null }],
  [empty, { diskGb: 1024, boot: 'network' }, { diskGb: 1024, disc: null }],
  [bounded, {}, { diskGb: 8, disc: null }],
  [bounded, { diskGb: 50, boot: 'debian' }, { diskGb: 50, disc: 'debian' }],
  [{ name: 'slc5' }, {}, undefined],
] as const)('%o with %o has the disk %o', (template, wish, disk) => {
  expect(blankFor(template, wish, ['debian'])).toEqual(disk)
})

test.each([
  [bounded, { diskGb: 51 }, 'bad_size'],
  [empty, { boot: 'windows' }, 'not_found'],
  [{ name: 'slc5' }, { diskGb: 20 }, 'invalid_input'],
  [{ name: 'slc5', kind: 'import' }, { boot: 'network' }, 'invalid_input'],
] as const)('%o with %o is refused: %s', (template, wish, code) => {
  expect(() => blankFor(template, wish, ['debian'])).toThrow(expect.objectContaining({ code }))
})

test.each([
  [{ diskGb: 20, disc: null }, 'an empty disk of 20 GB that boots from the network'],
  [{ diskGb: 8, disc: 'debian' }, 'an empty disk of 8 GB that boots from disc debian'],
  [undefined, ''],
])('%o reads "%s"', (blank, words) => {
  expect(blankWords(blankView(blank))).toBe(words)
})
