import { expect, test } from 'vitest'
import { addDuration, parseDuration } from '../../src/base/duration.ts'
import { connectLease, disconnectLease, endLease, type Lease, warnLease } from '../../broker/lease.ts'
import { attentionOf, type Due, dueOf } from '../../broker/lease-terms.ts'
import { after, aLease, anOfferedLease, terms } from './samples.ts'

const connected = connectLease(anOfferedLease(), terms, after(1))
const disconnected = disconnectLease(connected, terms, after(113))
const warn: Due = { kind: 'warn' }
const end = (reason: Extract<Due, { kind: 'end' }>['reason']): Due => ({ kind: 'end', reason })

test.each<[string, Lease, string, Due[]]>([
  ['one that is being prepared has its end', aLease(), after(120), [end('expired')]],
  ['one that is being prepared is not warned of', aLease(), after(119), []],
  ['an offer waits for its first connection', anOfferedLease(), after(9, 59), []],
  ['an offer that nobody used ends', anOfferedLease(), after(10), [end('never_used')]],
  ['one in use is left alone', connected, after(114), []],
  ['one in use is warned of', connected, after(115), [warn]],
  ['one that was warned of is not warned of twice', warnLease(connected, terms), after(119), []],
  ['one in use ends', connected, after(120), [end('expired')]],
  ['a warning that comes too late is left out', connected, after(300), [end('expired')]],
  ['one that nobody came back to is warned of like any other', disconnected, after(116), [warn]],
  [
    'one that nobody came back to ends at its end when that is sooner',
    disconnected,
    after(120),
    [end('expired')],
  ],
  [
    'after an outage the end that came first is the reason',
    disconnectLease(connected, terms, after(20)),
    after(300),
    [end('disconnected_too_long')],
  ],
  ['one that has ended has nothing due', endLease(connected, 'revoked', after(2)), after(300), []],
])('%s', (_, lease, now, due) => {
  expect(dueOf(lease, terms, now)).toEqual(due)
})

test('the next instant that matters is kept with the lease', () => {
  expect(aLease().attentionAt).toBe(after(120))
  expect(anOfferedLease().attentionAt).toBe(after(10))
  expect(connected.attentionAt).toBe(after(115))
  expect(warnLease(connected, terms).attentionAt).toBe(after(120))
  expect(disconnected.attentionAt).toBe(after(115))
  expect(endLease(connected, 'revoked', after(2)).attentionAt).toBeNull()
})

test('days are walked on the calendar of the site: a lease over a clock change is an hour shorter', () => {
  const day = parseDuration('P1D') ?? expect.fail('a duration')
  const lease = {
    ...anOfferedLease(),
    state: 'disconnected' as const,
    disconnectedAt: '2026-03-28T12:00:00.000Z',
  }

  const due = attentionOf({ ...lease, endsAt: '2026-04-30T00:00:00.000Z' }, { ...terms, disconnected: day })

  expect(due).toBe('2026-03-29T11:00:00.000Z')
  expect(addDuration('2026-03-28T12:00:00.000Z', day, 'UTC')).toBe('2026-03-29T12:00:00.000Z')
})
