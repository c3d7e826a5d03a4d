import { expect, test } from 'vitest'
import { helpFor, parseLine } from '../../bot/grammar.ts'
import { usages } from '../../bot/grammar/usage.ts'
import { context } from './grammar-context.ts'

test('help names only the verbs that a person may use', () => {
  const help = helpFor((verb) => verb !== 'drain' && verb !== 'return')

  const verbs =
    help.kind === 'overview' ? help.groups.flatMap((group) => group.verbs.map(({ verb }) => verb)) : []
  expect(verbs).toContain('hosts')
  expect(verbs).not.toContain('drain')
  expect(verbs).toHaveLength(usages.length - 2)
})

test('help for a verb gives its usage, options and examples, by any word for it', () => {
  const help = helpFor(() => true, 'EXT')

  expect(help).toMatchObject({ kind: 'verb', help: { verb: 'extend', usage: 'extend NAME TERM' } })
  expect(help.kind === 'verb' ? help.help.examples : []).toHaveLength(3)
  expect(help.kind === 'verb' ? help.help.options : []).not.toHaveLength(0)
})

test('help for a verb that a person may not use says no more than for a word that does not exist', () => {
  const help = helpFor((verb) => verb !== 'drain', 'drain')

  expect(help).toMatchObject({ kind: 'nothing', word: 'drain' })
})

test('help for a mistyped verb names the right one', () => {
  expect(helpFor(() => true, 'exetnd')).toEqual({ kind: 'nothing', word: 'exetnd', suggestion: 'extend' })
})

test.each(usages.flatMap((row) => row.examples.map((example) => [example, row.verb] as const)))(
  'the example "%s" is understood as %s',
  (example, verb) => {
    const understood = parseLine(example, context())

    expect(understood).toMatchObject({ kind: 'command', command: { verb } })
  },
)
