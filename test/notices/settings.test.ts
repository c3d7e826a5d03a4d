import fc from 'fast-check'
import { expect, test } from 'vitest'
import { instant, plusMillis } from '../../src/base/clock.ts'
import { type Settings, tellingAt, usualSettings } from '../../src/notices/settings.ts'

const zurich = 'Europe/Zurich'
const far = '2027-12-31T00:00:00.000Z'

function at(now: string, facts: Partial<Settings> = {}, latest = far): string {
  return tellingAt({ ...usualSettings('alice'), ...facts }, { now, latest, siteZone: zurich })
}

test.each([
  ['at work', '2026-11-23T08:00:00.000Z', {}, '2026-11-23T08:00:00.000Z'],
  ['before work', '2026-11-23T05:00:00.000Z', {}, '2026-11-23T07:00:00.000Z'],
  ['after work', '2026-11-23T17:00:00.000Z', {}, '2026-11-24T07:00:00.000Z'],
  ['on Friday night', '2026-11-27T20:00:00.000Z', {}, '2026-11-30T07:00:00.000Z'],
  ['on Sunday', '2026-11-29T10:00:00.000Z', {}, '2026-11-30T07:00:00.000Z'],
  ['on the night when the clocks go back', '2026-10-25T00:30:00.000Z', {}, '2026-10-26T07:00:00.000Z'],
  [
    'in a zone of their own',
    '2026-11-23T08:00:00.000Z',
    { zone: 'America/New_York' },
    '2026-11-23T13:00:00.000Z',
  ],
  [
    'where their chat says',
    '2026-11-23T08:00:00.000Z',
    { seenZone: 'America/New_York' },
    '2026-11-23T13:00:00.000Z',
  ],
  ['at any time', '2026-11-29T22:00:00.000Z', { hours: null }, '2026-11-29T22:00:00.000Z'],
  ['once a day', '2026-11-23T08:00:00.000Z', { digest: true }, '2026-11-24T07:00:00.000Z'],
  [
    'once a day, at any time',
    '2026-11-28T12:00:00.000Z',
    { digest: true, hours: null },
    '2026-11-29T08:00:00.000Z',
  ],
  [
    'at night, for whoever works then',
    '2026-11-23T23:00:00.000Z',
    { hours: { from: '22:00', to: '06:00' } },
    '2026-11-23T23:00:00.000Z',
  ],
])('what can wait is told %s', (_, now, facts, expected) => {
  const told = at(now, facts)

  expect(told).toBe(expected)
})

test('what cannot wait until then is told now', () => {
  const told = at('2026-11-28T10:00:00.000Z', {}, '2026-11-29T10:00:00.000Z')

  expect(told).toBe('2026-11-28T10:00:00.000Z')
})

test('nothing is told before now, nor later than four days, nor after it would be too late', () => {
  const hour = fc.integer({ min: 0, max: 23 }).map((of) => `${String(of).padStart(2, '0')}:00`)
  const settings = fc.record({
    digest: fc.boolean(),
    hours: fc.option(fc.record({ from: hour, to: hour })),
    zone: fc.constantFrom(null, 'Pacific/Apia', 'America/St_Johns', 'Europe/Zurich', 'Pacific/Kiritimati'),
  })
  const moment = fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) }).map(instant)

  fc.assert(
    fc.property(settings, moment, fc.integer({ min: 0, max: 400_000_000 }), (facts, now, room) => {
      const latest = plusMillis(now, room)
      const told = at(now, facts, latest)

      expect(told >= now && told <= latest).toBe(true)
      expect(told <= plusMillis(now, 4 * 86_400_000)).toBe(true)
    }),
    { numRuns: 300 },
  )
})
