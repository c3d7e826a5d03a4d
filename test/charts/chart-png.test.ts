import { expect, test } from 'vitest'
import type { Bars } from '../../src/charts/bars.ts'
import { chartPng } from '../../src/charts/chart-png.tsx'

function aChart(facts: number[], series = ['webafs20']): Bars {
  const bars = facts.map((amount, index) => ({
    month: `2026-0${index + 1}`,
    facts: series.map(() => amount),
    forecasts: series.map(() => 0),
  }))
  return { alt: 'Costs', unit: 'CHF', series, bars }
}

/** Width and height as the file says them (PNG §11.2.1). */
function sizeOf(png: Uint8Array): { width: number; height: number } {
  const view = Buffer.from(png)
  expect(view.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n')
  return { width: view.readUInt32BE(16), height: view.readUInt32BE(20) }
}

test('a chart is a PNG of a width that chats show, with room for its legend', () => {
  const one = sizeOf(chartPng(aChart([1000, 2000])))
  const many = sizeOf(chartPng(aChart([1000, 2000], ['a', 'b', 'c', 'd'])))

  expect(one.width).toBe(1520)
  expect(many.height).toBeGreaterThan(one.height)
})

test('other amounts are another picture, the same ones the same', () => {
  const [first, same, other] = [
    [1000, 2000],
    [1000, 2000],
    [1000, 9000],
  ].map((facts) => chartPng(aChart(facts)))

  expect(Buffer.from(first ?? []).equals(same ?? new Uint8Array())).toBe(true)
  expect(Buffer.from(first ?? []).equals(other ?? new Uint8Array())).toBe(false)
})

test.each([['<script>&"</text>'], ['名前'], ['x'.repeat(63)], ['']])(
  'a machine called %j breaks no picture',
  (name) => {
    const png = chartPng(aChart([1000], [name]))

    expect(sizeOf(png).width).toBe(1520)
  },
)

test('a chart without months is a picture all the same', () => {
  const png = chartPng(aChart([]))

  expect(sizeOf(png).width).toBe(1520)
})
