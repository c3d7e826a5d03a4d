import { describe, expect, test } from 'vitest'
import { axisFor, barsAsText, stacked } from '../../src/charts/bars.ts'

const bar = (facts: number[], forecasts: number[] = facts.map(() => 0)) => ({
  ...{ month: '2026-11', facts, forecasts },
})

describe('a bar', () => {
  test('has what was charged below what is to come, each in the order of its series', () => {
    const pieces = stacked(bar([100, 200], [10, 20]))

    expect(pieces).toEqual([
      { series: 0, kind: 'fact', from: 0, to: 100 },
      { series: 1, kind: 'fact', from: 100, to: 300 },
      { series: 0, kind: 'forecast', from: 300, to: 310 },
      { series: 1, kind: 'forecast', from: 310, to: 330 },
    ])
  })

  test('hangs what was taken back below the axis', () => {
    expect(stacked(bar([100, -40]))).toEqual([
      { series: 0, kind: 'fact', from: 0, to: 100 },
      { series: 1, kind: 'fact', from: 0, to: -40 },
    ])
  })
})

describe('the axis', () => {
  test.each([
    [[bar([164_620])], { bottom: 0, top: 200_000, marks: [0, 50_000, 100_000, 150_000, 200_000] }],
    [[bar([960])], { bottom: 0, top: 1_000, marks: [0, 500, 1_000] }],
    [[bar([7])], { bottom: 0, top: 10, marks: [0, 10] }],
    [[bar([0])], { bottom: 0, top: 10, marks: [0, 10] }],
    [[], { bottom: 0, top: 10, marks: [0, 10] }],
    [
      [bar([30_000]), bar([-9_000])],
      { bottom: -10_000, top: 30_000, marks: [-10_000, 0, 10_000, 20_000, 30_000] },
    ],
  ])('of %j has round marks that all bars fit between', (bars, axis) => {
    expect(axisFor(bars)).toEqual(axis)
  })
})

test('where there are only letters, full and light blocks tell facts from forecasts', () => {
  const text = barsAsText({
    alt: '',
    unit: 'CHF',
    series: ['a', 'b'],
    bars: [
      { month: '2026-11', facts: [7_680, 0], forecasts: [0, 0] },
      { month: '2026-12', facts: [1_920, 1_000], forecasts: [9_600, 0] },
      { month: '2027-01', facts: [-500, 0], forecasts: [0, 0] },
    ],
  })

  expect(text.split('\n')).toEqual([
    '2026-11  ███████████████                7.68 CHF',
    '2026-12  ██████░░░░░░░░░░░░░░░░░░      12.52 CHF',
    '2027-01                                -0.50 CHF',
    '█ charged  ░ to come, if nothing changes',
  ])
})
