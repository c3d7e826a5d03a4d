import { expect, test } from 'vitest'
import { daysBetween, termOf } from '../../src/base/period.ts'

const zone = 'Europe/Zurich'

test.each([
  {
    about: 'two weeks, the last day not counted',
    from: '2009-10-16T12:00Z',
    to: '2009-10-30T22:30Z',
    days: 14,
  },
  { about: 'an end at midnight sharp', from: '2009-10-16T12:00Z', to: '2009-10-29T23:00Z', days: 14 },
  {
    about: 'an end a moment before midnight',
    from: '2009-10-16T12:00Z',
    to: '2009-10-29T22:59:59.999Z',
    days: 13,
  },
  { about: 'a day of 25 hours', from: '2009-10-24T22:00Z', to: '2009-10-25T23:00Z', days: 1 },
  {
    about: 'the last hour of a day of 25 hours',
    from: '2009-10-24T22:00Z',
    to: '2009-10-25T22:59Z',
    days: 0,
  },
  { about: 'a day of 23 hours', from: '2026-03-28T23:00Z', to: '2026-03-29T22:00Z', days: 1 },
  { about: 'a leap day', from: '2028-02-28T12:00Z', to: '2028-03-01T12:00Z', days: 2 },
  {
    about: 'two moments on both sides of midnight',
    from: '2026-06-01T21:59Z',
    to: '2026-06-01T22:00Z',
    days: 1,
  },
  { about: 'hours within one day', from: '2026-06-01T07:00Z', to: '2026-06-01T17:00Z', days: 0 },
])('$about is $days days', ({ from, to, days }) => {
  const term = termOf({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), zone })

  expect(daysBetween(term)).toBe(days)
})

test('the same moments fall on other days in another zone', () => {
  const span = { from: '2009-10-16T23:30:00.000Z', to: '2009-10-30T00:30:00.000Z' }

  expect(termOf({ ...span, zone: 'UTC' })).toEqual({ from: '2009-10-16', to: '2009-10-30' })
  expect(termOf({ ...span, zone: 'Europe/Zurich' })).toEqual({ from: '2009-10-17', to: '2009-10-30' })
  expect(termOf({ ...span, zone: 'America/New_York' })).toEqual({ from: '2009-10-16', to: '2009-10-29' })
})
