import { describe, expect, test } from 'vitest'
import { closingAfter, Hours, isWithin, openingAfter } from '../../broker/opening-hours.ts'
import { endLease, extendLease, prepareLease, offerLease } from '../../broker/lease.ts'
import { dueOf, termsOf } from '../../broker/lease-terms.ts'
import { spareAt } from '../../broker/pool.ts'
import { aPool } from './samples.ts'

const zone = 'Europe/Zurich'
const office: Hours[] = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '07:00', to: '19:00' }]
const always: Hours[] = [
  { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '24:00' },
]

// 2 March 2026 is a Monday. Zurich is an hour ahead of UTC, and two from 29 March on.
describe('hours', () => {
  test.each([
    ['2026-03-02T05:59:59.999Z', false],
    ['2026-03-02T06:00:00.000Z', true],
    ['2026-03-02T17:59:59.999Z', true],
    ['2026-03-02T18:00:00.000Z', false],
    ['2026-03-07T12:00:00.000Z', false],
    ['2026-03-30T05:00:00.000Z', true],
  ])('at %s they are open: %s', (at, open) => {
    expect(isWithin(office, at, zone)).toBe(open)
  })

  test.each([
    ['in the morning', office, '2026-03-02T08:00:00.000Z', '2026-03-02T18:00:00.000Z'],
    ['when they are over', office, '2026-03-02T20:00:00.000Z', '2026-03-02T20:00:00.000Z'],
    ['where there are none', [], '2026-03-02T08:00:00.000Z', null],
    ['where they never close', always, '2026-03-02T08:00:00.000Z', null],
    [
      'over midnight',
      [
        { days: ['mon' as const], from: '20:00', to: '24:00' },
        { days: ['tue' as const], from: '00:00', to: '02:00' },
      ],
      '2026-03-02T21:00:00.000Z',
      '2026-03-03T01:00:00.000Z',
    ],
  ])('%s they close', (_, hours, at, closing) => {
    expect(closingAfter(hours, at, zone)).toBe(closing)
  })

  test('they begin again on Monday, at the same time of the clock though clocks have changed', () => {
    expect(openingAfter(office, '2026-03-27T20:00:00.000Z', zone)).toBe('2026-03-30T05:00:00.000Z')
  })

  test('they end after they begin', () => {
    expect(Hours.safeParse({ days: ['mon'], from: '19:00', to: '07:00' }).success).toBe(false)
  })
})

describe('a lease of a pool with hours', () => {
  const pool = { ...aPool(), hours: office }
  const terms = termsOf(pool, zone)
  const opening = {
    id: 'L-1',
    pool: 'public',
    desktop: null,
    user: 'alice',
    terminal: null,
    ticket: 't',
    nonce: 'n',
  }
  const offered = (at: string) => offerLease(prepareLease(opening, terms, at), 'd', terms, at)

  test('ends when the pool closes, which is what it says then, and the person is warned before', () => {
    const lease = offered('2026-03-02T17:00:00.000Z')

    expect(lease.endsAt).toBe('2026-03-02T18:00:00.000Z')
    expect(dueOf({ ...lease, state: 'connected' }, terms, '2026-03-02T17:55:00.000Z')).toEqual([
      { kind: 'warn' },
    ])
    expect(dueOf({ ...lease, state: 'connected' }, terms, '2026-03-02T18:00:00.000Z')).toEqual([
      { kind: 'end', reason: 'pool_closed' },
    ])
  })

  test('ends as usual when that is earlier', () => {
    const lease = offered('2026-03-02T08:00:00.000Z')

    expect(lease.endsAt).toBe('2026-03-02T10:00:00.000Z')
    expect(dueOf({ ...lease, state: 'connected' }, terms, lease.endsAt)).toEqual([
      { kind: 'end', reason: 'expired' },
    ])
  })

  test('is not extended beyond the hours', () => {
    const lease = offered('2026-03-02T17:00:00.000Z')

    expect(() => extendLease(lease, { minutes: 5 }, terms, '2026-03-02T17:30:00.000Z')).toThrow(
      expect.objectContaining({ code: 'bad_term' }),
    )
    expect(endLease(lease, 'released', '2026-03-02T17:30:00.000Z').endReason).toBe('released')
  })
})

test('more desktops are kept ready when the site expects people', () => {
  const morning = { days: ['mon' as const], from: '07:00', to: '10:00', spare: 7 }
  const pool = { ...aPool(), size: { spare: 2, saved: 0, max: 10, schedule: [morning] } }

  expect(spareAt(pool, '2026-03-02T07:00:00.000Z', zone)).toBe(7)
  expect(spareAt(pool, '2026-03-02T12:00:00.000Z', zone)).toBe(2)
})
