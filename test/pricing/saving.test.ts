import { expect, test } from 'vitest'
import { savingBy, type Stake } from '../../pricing/saving.ts'
import { aTariff } from './builders.ts'

const tariffs = [aTariff({ saved: { baseMilli: 200, perGbMilli: 0 }, archived: { baseMilli: 50 } })]

function aStake(changes: Partial<Stake> = {}): Stake {
  return {
    ...{ size: { cpus: 2, memoryGb: 4 }, state: 'running', today: '2026-12-31', freeFrom: '2026-11-01' },
    ...{ heldMilli: 40_000, dueMilli: 3_700 },
    ...changes,
  }
}

test.each([
  ['ending it', 'gone', {}, { perDayMilli: 3_700, freeDays: 0, backMilli: 36_300 }],
  [
    'ending one that is saved',
    'gone',
    { state: 'saved' },
    { perDayMilli: 885, freeDays: 0, backMilli: 36_300 },
  ],
  ['saving it', 'saved', {}, { perDayMilli: 2_815, freeDays: 0, backMilli: 0 }],
  ['saving one that is saved', 'saved', { state: 'saved' }, { perDayMilli: 0, freeDays: 0, backMilli: 0 }],
  ['putting it in the library', 'archived', {}, { perDayMilli: 910, freeDays: 0, backMilli: 0 }],
  [
    'ending it on its first day',
    'gone',
    { freeFrom: '2026-12-31' },
    { perDayMilli: 3_700, freeDays: 30, backMilli: 36_300 },
  ],
  [
    'ending it on its last free day',
    'gone',
    { freeFrom: '2026-12-01' },
    { perDayMilli: 3_700, freeDays: 0, backMilli: 36_300 },
  ],
  [
    'ending it a day before that',
    'gone',
    { freeFrom: '2026-12-02' },
    { perDayMilli: 3_700, freeDays: 1, backMilli: 36_300 },
  ],
  [
    'ending one that owes more than is held',
    'gone',
    { heldMilli: 3_000 },
    { perDayMilli: 3_700, freeDays: 0, backMilli: 0 },
  ],
] as const)(
  '%s saves the price of its days after today, and what is held for them',
  (_, to, changes, saving) => {
    expect(savingBy(to, aStake(changes), tariffs)).toEqual(saving)
  },
)

test('by a tariff without other prices for it, a rest saves nothing', () => {
  expect(savingBy('saved', aStake(), [aTariff()]).perDayMilli).toBe(0)
})

test('the prices are those of the tariff of today', () => {
  const later = aTariff({ name: 'later', from: '2027-01-01', baseMilli: 9_000 })

  expect(savingBy('gone', aStake(), [...tariffs, later]).perDayMilli).toBe(3_700)
  expect(savingBy('gone', aStake({ today: '2027-01-01' }), [...tariffs, later]).perDayMilli).toBe(11_740)
})
