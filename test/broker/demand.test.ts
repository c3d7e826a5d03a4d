import { expect, test } from 'vitest'
import { type DemandDay, levelAt, levelChangesAfter, withDemand } from '../../broker/demand.ts'

const zone = 'Europe/Zurich'
/** A Monday, eight in the morning on the site's clock. */
const monday = '2026-11-23T07:00:00.000Z'
const size = { spare: 2, saved: 1, max: 20, schedule: [], demand: { weeks: 3 } }

function seen(day: string, ...times: string[]): DemandDay {
  const at = times.map((time) => `${day}T${time}:00.000Z`)
  return withDemand(undefined, { pool: 'public', day, at }, zone)
}

test.each([
  ['nothing was seen', [], 2, 'its usual number; no Monday has been seen yet'],
  [
    'fewer came than are kept anyway',
    [seen('2026-11-16', '07:05')],
    2,
    'its usual number; opened from 08:00 to 08:30: 1 on 2026-11-16',
  ],
  [
    'more came, most of all two weeks ago',
    [seen('2026-11-16', '07:05', '07:29'), seen('2026-11-09', '07:00', '07:10', '07:20', '07:29')],
    4,
    'opened from 08:00 to 08:30: 2 on 2026-11-16, 4 on 2026-11-09',
  ],
  [
    'it was at another time, on another day or too long ago',
    [
      seen('2026-11-16', '06:59', '07:30', '07:31'),
      seen('2026-11-22', '07:05', '07:05', '07:05'),
      seen('2026-10-26', '07:05', '07:05', '07:05'),
    ],
    2,
    'its usual number; opened from 08:00 to 08:30: 0 on 2026-11-16',
  ],
  [
    'more came than the pool can have',
    [seen('2026-11-16', ...Array.from({ length: 25 }, () => '07:10'))],
    20,
    'opened from 08:00 to 08:30: 25 on 2026-11-16; the pool has at most 20',
  ],
])('where %s, the level says how it came about', (_, history, running, why) => {
  expect(levelAt({ size }, monday, zone, history)).toEqual({ running, saved: 1, why })
})

test('the hour is that of the site’s clock, also where clocks have changed since', () => {
  // Until the end of October it was two hours ahead of UTC.
  const before = seen('2026-10-19', '06:05', '06:10', '06:15')

  const { running } = levelAt({ size }, '2026-11-09T07:00:00.000Z', zone, [before])

  expect(running).toBe(3)
})

test('a level that follows the clock is looked at when it may change', () => {
  const window = { days: ['mon' as const], from: '09:00', to: '10:00', spare: 6 }
  const { demand: _, ...still } = size

  expect(levelChangesAfter({ size: still }, monday, zone)).toBeNull()
  expect(levelChangesAfter({ size }, monday, zone)).toBe('2026-11-23T07:15:00.000Z')
  expect(levelChangesAfter({ size: { ...still, schedule: [window] } }, monday, zone)).toBe(
    '2026-11-23T08:00:00.000Z',
  )
  expect(
    levelChangesAfter({ size: { ...still, schedule: [window] } }, '2026-11-23T08:30:00.000Z', zone),
  ).toBe('2026-11-23T09:00:00.000Z')
  expect(
    levelAt({ size: { ...still, schedule: [window] } }, '2026-11-23T08:30:00.000Z', zone, []),
  ).toMatchObject({ running: 6, why: 'its schedule says so' })
})
