import { describe, expect, test } from 'vitest'
import { bookingDay, type ChargedUse, chargesFor, reversal, sumOf } from '../../pricing/charge.ts'
import { freeFromDay, Tariff } from '../../pricing/tariff.ts'
import { aTariff } from './builders.ts'

const charged = { machine: 'webafs20', ref: 'vm-1', freeFrom: '2009-10-01' }

function use(changes: Partial<ChargedUse> = {}): ChargedUse {
  return {
    ...{ day: '2009-11-16', state: 'running', cpus: 2, memoryGb: 4, budget: 'T-1042', owner: 'alice' },
    ...changes,
  }
}

describe('the rows of a day', () => {
  test('are one for each component, with a key of their own', () => {
    const rows = chargesFor(charged, use(), [aTariff()])

    expect(
      rows.map(({ id, quantity, unitMilli, amountMilli }) => [id, quantity, unitMilli, amountMilli]),
    ).toEqual([
      ['vm-1|2009-11-16|base', 1, 960, 960],
      ['vm-1|2009-11-16|memory', 3, 685, 2_055],
      ['vm-1|2009-11-16|cpu', 1, 685, 685],
    ])
    expect(rows[0]).toEqual({
      id: 'vm-1|2009-11-16|base',
      at: '2009-11-16T00:00:00.000Z',
      machine: 'webafs20',
      ref: 'vm-1',
      budget: 'T-1042',
      owner: 'alice',
      day: '2009-11-16',
      component: 'base',
      state: 'running',
      tariff: 'standard',
      quantity: 1,
      unitMilli: 960,
      amountMilli: 960,
      reason: null,
    })
  })

  test.each([
    { about: 'the last free day', day: '2009-10-31', cover: 'all', rows: [['free', 0]] },
    {
      about: 'the first day after the free ones',
      day: '2009-11-01',
      cover: 'all',
      rows: [
        ['base', 960],
        ['memory', 2_055],
        ['cpu', 685],
      ],
    },
    {
      about: 'a free day that covers the base only',
      day: '2009-10-31',
      cover: 'base',
      rows: [
        ['memory', 2_055],
        ['cpu', 685],
        ['free', 0],
      ],
    },
  ] as const)('on $about are $rows', ({ day, cover, rows }) => {
    const found = chargesFor(charged, use({ day }), [aTariff({ freeDaysCover: cover })])

    expect(found.map(({ component, amountMilli }) => [component, amountMilli])).toEqual(rows)
  })

  test('go by the tariff of the day', () => {
    const tariffs = [aTariff(), aTariff({ name: 'dearer', from: '2009-11-16', baseMilli: 1_000 })]

    const found = ['2009-11-15', '2009-11-16'].map((day) => chargesFor(charged, use({ day }), tariffs)[0])

    expect(found).toMatchObject([
      { tariff: 'standard', amountMilli: 960 },
      { tariff: 'dearer', amountMilli: 1_000 },
    ])
  })

  test.each([
    { state: 'running', total: 3_700 },
    { state: 'saved', total: 200 + 2_055 },
    { state: 'archived', total: 3_700 },
  ] as const)('of a machine that was $state cost $total', ({ state, total }) => {
    const tariff = Tariff.parse({
      ...{ name: 'resting', from: '2009-01-01', freeDays: 0, base: '0.960', perGb: '0.685', perCpu: '0.685' },
      saved: { base: '0.200', perCpu: '0.00' },
    })

    expect(sumOf(chargesFor(charged, use({ state }), [tariff]))).toBe(total)
  })

  test('for a day of an open month are booked on that day', () => {
    const rows = chargesFor(charged, use(), [aTariff()], '2009-11-01')

    expect(rows.map(bookingDay)).toEqual(['2009-11-16', '2009-11-16', '2009-11-16'])
  })

  test('for a day of a closed month are booked on the first day that is open', () => {
    const rows = chargesFor(charged, use(), [aTariff()], '2009-12-01')

    expect(new Set(rows.map(({ day, at }) => `${day} ${at}`))).toEqual(
      new Set(['2009-11-16 2009-12-01T00:00:00.000Z']),
    )
  })
})

describe('a correction', () => {
  const [row] = chargesFor(charged, use(), [aTariff()])
  if (row === undefined) throw new Error('there is a row')
  const back = reversal(row, { day: '2009-12-24', reason: 'the host was down' })

  test('is a row of its own that takes another back, with the reason', () => {
    expect(back).toEqual({
      ...row,
      id: `${row.id}|reversed`,
      at: '2009-12-24T00:00:00.000Z',
      quantity: -1,
      amountMilli: -960,
      reason: 'the host was down',
    })
    expect(sumOf([row, back])).toBe(0)
  })

  test('is not corrected itself', () => {
    expect(() => reversal(back, { day: '2009-12-24', reason: 'no' })).toThrow(
      'what takes back is not taken back itself',
    )
  })
})

describe('free days of a machine that follows another of its name', () => {
  const earlier = { freeFrom: '2009-10-01', endedOn: '2009-10-10' }

  test.each([
    { about: 'on the same day', created: '2009-10-10', after: undefined, from: '2009-10-01' },
    { about: '30 days later', created: '2009-11-09', after: undefined, from: '2009-10-01' },
    { about: '31 days later', created: '2009-11-10', after: undefined, from: '2009-11-10' },
    { about: 'a day before a month is over', created: '2009-11-09', after: 'P1M', from: '2009-10-01' },
    { about: 'once a month is over', created: '2009-11-10', after: 'P1M', from: '2009-11-10' },
    { about: 'where they always begin anew', created: '2009-10-10', after: 'P0D', from: '2009-10-10' },
  ])('count from $from when it is made $about', ({ created, after, from }) => {
    const tariff = Tariff.parse({
      ...{ name: 'standard', from: '2009-01-01', freeDays: 31, base: '1.00', perGb: '0', perCpu: '0' },
      ...(after === undefined ? {} : { freeAgainAfter: after }),
    })

    expect(freeFromDay(created, earlier, [tariff])).toBe(from)
  })

  test('count from its creation when there was none', () => {
    expect(freeFromDay('2009-10-10', undefined, [aTariff()])).toBe('2009-10-10')
  })
})
