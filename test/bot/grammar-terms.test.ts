import { expect, test } from 'vitest'
import { parseLine, resolveTerm } from '../../bot/grammar.ts'
import { context, now } from './grammar-context.ts'

test.each<[words: string, end: string | null]>([
  ['90m', '2026-11-22T11:30:00.000Z'],
  ['8h', '2026-11-22T18:00:00.000Z'],
  ['1.5 hours', '2026-11-22T11:30:00.000Z'],
  ['30d', '2026-12-22T10:00:00.000Z'],
  ['1d12h', '2026-11-23T22:00:00.000Z'],
  ['1 week and 2 days', '2026-12-01T10:00:00.000Z'],
  ['P3D', '2026-11-25T10:00:00.000Z'],
  ['for one month', '2026-12-22T10:00:00.000Z'],
  ['1mo', '2026-12-22T10:00:00.000Z'],
  ['for the next 6 months', '2027-05-22T09:00:00.000Z'],
  ['by another week', '2026-11-29T10:00:00.000Z'],
  ['2 more days', '2026-11-24T10:00:00.000Z'],
  ['for a year', '2027-11-22T10:00:00.000Z'],
  ['until 2026-12-31', '2026-12-31T23:00:00.000Z'],
  ['until 31.12.2026', '2026-12-31T23:00:00.000Z'],
  ['until 31 Dec 2026', '2026-12-31T23:00:00.000Z'],
  ['until 31st of December', '2026-12-31T23:00:00.000Z'],
  ['until Jan 5', '2027-01-05T23:00:00.000Z'],
  ['until 31/12/2026', '2026-12-31T23:00:00.000Z'],
  ['until 03/03/2027', '2027-03-03T23:00:00.000Z'],
  ['until fri', '2026-11-27T23:00:00.000Z'],
  ['until fri 17:00', '2026-11-27T16:00:00.000Z'],
  ['until tomorrow at 5pm', '2026-11-23T16:00:00.000Z'],
  ['until 2026-12-31T17:00:00Z', '2026-12-31T17:00:00.000Z'],
  ['until 2026-12-31 17:00', '2026-12-31T16:00:00.000Z'],
  ['eod', '2026-11-22T23:00:00.000Z'],
  ['until the end of the month', '2026-11-30T23:00:00.000Z'],
  ['to 2027-03-27', '2027-03-27T23:00:00.000Z'],
  ['until 2027-03-28', '2027-03-28T22:00:00.000Z'],
  ['never', null],
  ['forever', null],
  ['until 31/12/9999', null],
])('"%s" ends at %s', (words, end) => {
  const understood = parseLine(`extend web1 ${words}`, context())
  const term =
    understood.kind === 'command' && understood.command.verb === 'extend'
      ? understood.command.term
      : undefined

  expect(understood).toMatchObject({ kind: 'command', command: { machine: 'web1' } })
  expect(term === undefined ? 'no term' : resolveTerm(term, now, 'Europe/Zurich')).toBe(end)
})
