import { renderToString } from 'preact-render-to-string'
import { expect, test } from 'vitest'
import { BarChart } from '../../src/charts/bar-chart.tsx'
import type { Bars } from '../../src/charts/bars.ts'
import { inlineParts, tagsOf } from '../portal/markup.ts'

const chart: Bars = {
  alt: 'Costs of "T-1042" <b>',
  unit: 'CHF',
  series: ['webafs20', '<script>'],
  bars: [
    { month: '2026-12', facts: [7_680, 1_000], forecasts: [0, 0] },
    { month: '2027-01', facts: [1_920, 0], forecasts: [9_600, -500] },
    { month: '2027-02', facts: [0, 0], forecasts: [0, 0] },
  ],
}
const html = renderToString(<BarChart chart={chart} id="c" />)
const tags = tagsOf(html)

test('a chart has an alternative in words, and nothing that a content policy forbids', () => {
  const [picture] = tags.filter(({ attributes }) => attributes.role === 'img')

  expect(picture?.attributes['aria-label']).toBe('Costs of &quot;T-1042&quot; &lt;b>')
  expect(inlineParts(tags)).toEqual([])
})

test('what is to come is striped in the colour of its series, what was charged is full', () => {
  const pieces = tags
    .filter(({ name, attributes, within }) => name === 'rect' && within.includes('g') && attributes.class)
    .map(({ attributes }) => [attributes.class, attributes.fill])

  expect(pieces).toEqual([
    ['piece series-0', undefined],
    ['piece series-1', undefined],
    ['piece series-0', undefined],
    ['piece expected line-0', 'url(#c-hatch-0)'],
    ['piece expected line-1', 'url(#c-hatch-1)'],
  ])
  expect(tags.filter(({ name }) => name === 'pattern').map(({ attributes }) => attributes.id)).toEqual([
    'c-hatch-0',
    'c-hatch-1',
  ])
})

test('every part stays within the picture', () => {
  const boxes = tags.filter(({ name, within }) => name === 'rect' && within.includes('g'))

  const edges = boxes.map(({ attributes: { x = '', width = '', y, height } }) => ({
    right: parseFloat(x) + parseFloat(width),
    bottom: Number(y) + Number(height),
  }))
  expect(edges.every(({ right, bottom }) => right <= 100 && bottom <= 264)).toBe(true)
})
