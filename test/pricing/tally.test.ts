import { describe, expect, test } from 'vitest'
import type { Charge } from '../../pricing/charge.ts'
import { statement, talliesOf } from '../../pricing/statement.ts'
import { type Tally, tallied } from '../../pricing/tally.ts'

const row: Charge = {
  ...{ id: 'vm-1|2026-11-01|base', at: '2026-11-01T00:00:00.000Z', day: '2026-11-01' },
  ...{ machine: 'web1', ref: 'vm-1', budget: 'T-1042', owner: 'alice', component: 'base', state: 'running' },
  ...{ tariff: 'standard', quantity: 1, unitMilli: 960, amountMilli: 960, reason: null },
}

function on(day: string, changes: Partial<Charge> = {}): Charge {
  return { ...row, id: `vm-1|${day}|base`, day, at: `${day}T00:00:00.000Z`, ...changes }
}

describe('rows of a month are counted', () => {
  test('together where they are alike but for their day', () => {
    const counted = tallied(undefined, [row, on('2026-11-02')])

    expect(counted).toEqual({
      ...{ id: 'T-1042|2026-11|vm-1', budget: 'T-1042', month: '2026-11' },
      ...{ machine: 'web1', ref: 'vm-1' },
      lines: [
        {
          ...{
            owner: 'alice',
            component: 'base',
            state: 'running',
            tariff: 'standard',
            quantity: 1,
            unitMilli: 960,
          },
          ...{ amountMilli: 1_920, reason: null, days: 2 },
        },
      ],
    })
  })

  test.each([
    { owner: 'carol' },
    { owner: null },
    { component: 'cpu' },
    { state: 'saved' },
    { tariff: 'dearer' },
    { quantity: 2 },
    { unitMilli: 480 },
    { reason: 'the host was down' },
  ] as const)('apart where they differ in %j', (difference) => {
    const counted = tallied(tallied(undefined, [row]), [on('2026-11-02', difference)])

    expect(counted.lines.map(({ days }) => days)).toEqual([1, 1])
  })

  test.each([
    ['another machine', { ref: 'vm-2' }],
    ['another budget', { budget: 'T-2000' }],
    ['another month', { at: '2026-12-01T00:00:00.000Z' }],
  ])('never together with those of %s', (_what, difference) => {
    const together = () => tallied(undefined, [row, on('2026-11-02', difference)])

    expect(together).toThrow('what is counted together is of one machine, budget and month')
  })

  test('when there are any', () => {
    expect(() => tallied(undefined, [])).toThrow('something is counted')
  })
})

describe('a statement is in order', () => {
  test('by machine, and by handle where a name was used twice', () => {
    const places = [
      ['web2', 'vm-3'],
      ['web1', 'vm-2'],
      ['web1', 'vm-1'],
      ['web3', 'vm-0'],
    ] as const
    const tallies = places.map(([machine, ref]) => tallied(undefined, [{ ...row, machine, ref }]))

    const { machines } = statement(tallies)

    expect(machines.map(({ machine, ref }) => `${machine} ${ref}`)).toEqual([
      'web1 vm-1',
      'web1 vm-2',
      'web2 vm-3',
      'web3 vm-0',
    ])
  })

  test('by reason, component, quantity and price within a machine', () => {
    const lines: Tally['lines'] = [
      lineOf({ component: 'cpu', quantity: 3, unitMilli: 2 }),
      lineOf({ component: 'cpu', quantity: 3, unitMilli: 1 }),
      lineOf({ component: 'cpu', quantity: 1, unitMilli: 9 }),
      lineOf({ component: 'base', quantity: -1, reason: 'wrong' }),
      lineOf({ component: 'free' }),
      lineOf({ component: 'memory' }),
      lineOf({ component: 'base' }),
    ]

    const made = statement([{ ...tallied(undefined, [row]), lines }])

    expect(made.lines.map((line) => [line.component, line.quantity, line.unitMilli, line.reason])).toEqual([
      ['base', 1, 1, null],
      ['memory', 1, 1, null],
      ['cpu', 1, 9, null],
      ['cpu', 3, 1, null],
      ['cpu', 3, 2, null],
      ['free', 1, 1, null],
      ['base', -1, 1, 'wrong'],
    ])
  })

  test('by owner within a machine, in the order of their days', () => {
    const rows = [
      on('2026-11-03', { owner: 'alice' }),
      on('2026-11-04'),
      on('2026-11-01', { owner: 'carol' }),
    ]
    const free = on('2026-11-05', { owner: 'carol', component: 'free', amountMilli: 0 })

    const made = statement(talliesOf([...rows, free]))

    expect(made.machines).toEqual([
      { machine: 'web1', ref: 'vm-1', owner: 'carol', days: 2, freeDays: 1, hours: 0, totalMilli: 960 },
      { machine: 'web1', ref: 'vm-1', owner: 'alice', days: 2, freeDays: 0, hours: 0, totalMilli: 1_920 },
    ])
    expect(made.lines.map(({ owner, component, days }) => [owner, component, days])).toEqual([
      ['carol', 'base', 1],
      ['carol', 'free', 1],
      ['alice', 'base', 2],
    ])
    expect([made.days, made.freeDays, made.totalMilli]).toEqual([4, 1, 2_880])
  })

  test('and of one day by the keys of its rows', () => {
    const cpu = on('2026-11-01', { id: 'vm-1|2026-11-01|cpu', component: 'cpu', owner: 'carol' })

    expect(talliesOf([cpu, row])).toEqual(talliesOf([row, cpu]))
  })
})

function lineOf(changes: Partial<Tally['lines'][number]>): Tally['lines'][number] {
  return {
    ...{ owner: null, component: 'base', state: 'running', tariff: 'standard', quantity: 1, unitMilli: 1 },
    ...{ amountMilli: 1, reason: null, days: 1 },
    ...changes,
  }
}
