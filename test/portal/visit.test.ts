import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { relativeTime } from '../../src/portal/times.ts'
import { fieldsOf, localPath } from '../../src/portal/visit.ts'
import { money } from '../../src/portal/words.ts'

describe('where somebody is sent on to after signing in', () => {
  test.each([
    ['/budgets', '/budgets'],
    ['/machines/webafs20?done=start', '/machines/webafs20?done=start'],
    [undefined, '/'],
    ['', '/'],
    ['budgets', '/'],
    ['https://other.example/', '/'],
    ['//other.example/', '/'],
    ['/\\other.example', '/'],
    ['/\t/other.example', '/'],
    ['/.//other.example', '/'],
    ['/a/..//other.example', '/'],
    ['javascript:alert(1)', '/'],
  ])('%j leads to %s', (next, expected) => {
    expect(localPath(next)).toBe(expected)
  })

  test('whatever it says, a browser stays on our site', () => {
    const parts = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '\t',
      '\n',
      'other.example',
      '@',
      ':',
      'https:',
      '%2f',
      'a',
    )
    fc.assert(
      fc.property(fc.array(parts), (pieces) => {
        const path = localPath(pieces.join(''))

        expect(new URL(path, 'http://jackdaw.example').host).toBe('jackdaw.example')
      }),
    )
  })
})

describe('what somebody typed', () => {
  test('a field that was left empty is not there, and spaces around the others fall away', () => {
    const fields = fieldsOf({ cpus: ' ', name: ' webafs20 ', password: ' secret ' })

    expect([fields.get('cpus'), fields.get('name'), fields.get('toString')]).toEqual([
      undefined,
      'webafs20',
      undefined,
    ])
    expect(fields.exact('password')).toBe(' secret ')
  })

  test('of a field that comes several times the first counts', () => {
    expect(fieldsOf({ budget: ['T-1042', 'T-2000'] }).get('budget')).toBe('T-1042')
  })
})

describe('words for people', () => {
  test.each([
    ['2026-11-23T08:00:20.000Z', 'now'],
    ['2026-11-23T08:30:00.000Z', 'in 30 minutes'],
    ['2026-11-23T10:30:00.000Z', 'in 2 hours 30 minutes'],
    ['2026-11-23T07:59:00.000Z', '1 minute ago'],
    ['2026-12-07T08:00:00.000Z', 'in 14 days'],
    ['2027-11-23T08:00:00.000Z', 'in 12 months'],
    ['2030-11-23T08:00:00.000Z', 'in 4 years'],
  ])('%s is %s', (at, expected) => {
    expect(relativeTime(at, '2026-11-23T08:00:00.000Z')).toBe(expected)
  })

  test('large amounts are grouped with spaces that do not break', () => {
    expect(money('1234567.90', 'CHF')).toBe('1\u202f234\u202f567.90\u00a0CHF')
    expect(money('-12.50', 'CHF')).toBe('-12.50\u00a0CHF')
  })
})
