import { Resvg } from '@resvg/resvg-js'
import { createRequire } from 'node:module'
import { renderToString } from 'preact-render-to-string'
import { AxisNames, gutter, height, look, Plot } from './bar-chart.tsx'
import { axisFor, type Bars } from './bars.ts'

/** In pixels, before it is drawn twice as large for screens that show more. */
const width = 760
const legend = { columns: 3, row: 22, letters: 26 }
const zoom = 2

/**
 * A chart as a PNG of 1520 pixels across, for platforms that show pictures. What it says stands in `chart.alt`, which
 * goes along as the alternative text. Drawn with fonts that come along: the system's are neither needed nor read.
 */
export function chartPng(chart: Bars): Uint8Array {
  const picture = new Resvg(chartSvg(chart), {
    fitTo: { mode: 'zoom', value: zoom },
    font: { loadSystemFonts: false, fontFiles: [...fonts], defaultFontFamily: 'DejaVu Sans' },
  })
  return picture.render().asPng()
}

/** The picture as SVG that stands alone, legend included. */
function chartSvg(chart: Bars): string {
  const { bars, series, unit } = chart
  const axis = axisFor(bars)
  const rows = Math.ceil(series.length / legend.columns)
  const expects = bars.some(({ forecasts }) => forecasts.some((amount) => amount !== 0))
  const tall = height + (rows + (expects ? 1 : 0)) * legend.row + 16
  const across = width - gutter - 12
  const foot = height + 14 + rows * legend.row
  return renderToString(
    <svg xmlns="http://www.w3.org/2000/svg" class="chart" width={width} height={tall}>
      <style>{style}</style>
      <rect class="ground" width={width} height={tall} />
      <g class="amounts">
        <text x={gutter - 8} y="12">
          {unit}
        </text>
        <AxisNames axis={axis} />
      </g>
      <svg x={gutter} width={across} height={height} viewBox={`0 0 ${across} ${height}`}>
        <Plot chart={chart} axis={axis} id="c" />
      </svg>
      {series.map((name, index) => (
        <Entry name={short(name)} look={look('fact', index, 'c')} {...placeOf(index)} />
      ))}
      {expects ? <Entry name="charged" look={look('fact', 0, 'c')} x={gutter} y={foot} /> : null}
      {expects ? (
        <Entry name="to come, if nothing changes" look={look('forecast', 0, 'c')} x={gutter + 110} y={foot} />
      ) : null}
    </svg>,
  )
}

function placeOf(index: number): { x: number; y: number } {
  const across = (width - gutter) / legend.columns
  const row = Math.floor(index / legend.columns)
  return { x: gutter + (index % legend.columns) * across, y: height + 14 + row * legend.row }
}

function short(name: string): string {
  return name.length > legend.letters ? `${name.slice(0, legend.letters - 1)}…` : name
}

interface EntryProps {
  name: string
  look: { class: string; fill?: string }
  x: number
  y: number
}

function Entry({ name, look: box, x, y }: EntryProps) {
  return (
    <g>
      <rect {...box} x={x} y={y - 11} width="16" height="12" />
      <text class="name" x={x + 23} y={y}>
        {name}
      </text>
    </g>
  )
}

/** The colours of `jackdaw.css` on light ground: where a picture is shown, nobody can say what is around it. */
const colours = ['#1d5a94', '#b35900', '#2b7a4b', '#7a4aa5', '#0b7780', '#ad3263']

const style = [
  'text { fill: #5a6472; font-size: 12px; font-family: "DejaVu Sans"; text-anchor: middle; }',
  '.amounts text { text-anchor: end; }',
  'text.name { text-anchor: start; fill: #1d2430; font-size: 13px; }',
  'text.total { fill: #1d2430; font-weight: 700; }',
  '.bar-of text { visibility: hidden; }',
  '.bar-of.dated .month, .bar-of.dated .year, .bar-of.roomy .total { visibility: visible; }',
  '.marks line { stroke: #d9dee5; }',
  '.axis { stroke: #56616f; }',
  '.piece { stroke: #fbfcfd; stroke-width: 1; }',
  '.expected { stroke-width: 1.5; }',
  '.ground { fill: #fbfcfd; }',
  ...colours.flatMap((colour, index) => [
    `.series-${index} { fill: ${colour}; }`,
    `.line-${index} { stroke: ${colour}; }`,
  ]),
].join('\n')

const { resolve } = createRequire(import.meta.url)
const fonts = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => resolve(`dejavu-fonts-ttf/ttf/${file}`))
