import { formatMoney } from '../../pricing/money.ts'
import { monthName, shortMonth, yearOf } from '../base/month.ts'
import { type Axis, axisFor, type Bar, type Bars, type Piece, stacked, totalOf } from './bars.ts'

/** In pixels. Across, everything is a share of the width, so that the chart fits wherever it stands. */
const plot = { top: 22, height: 200, foot: 42 }
export const height = plot.top + plot.height + plot.foot
/** Beside the bars, for amounts of up to six digits. */
export const gutter = 64
/** How much of its place a bar takes. */
const fill = 0.72

/**
 * Bars by month as SVG. Nothing in it is styled: colours are those of the page (`.chart` in `jackdaw.css`), so it follows
 * light and dark, and there is no inline style that a content policy would forbid. What is only expected is hatched.
 * @param id tells apart the charts of one page
 */
export function BarChart({ chart, id }: { chart: Bars; id: string }) {
  const axis = axisFor(chart.bars)
  return (
    <figure class="chart">
      <svg class="amounts" width={gutter} height={height} aria-hidden="true" focusable="false">
        <AxisNames axis={axis} />
      </svg>
      <svg class="plot" role="img" aria-label={chart.alt} width="100%" height={height} focusable="false">
        <Plot chart={chart} axis={axis} id={id} />
      </svg>
      <Legend chart={chart} id={id} />
    </figure>
  )
}

/** What is inside of the plot: bars, marks and months. Across, in per cent of the picture that it stands in. */
export function Plot({ chart, axis, id }: { chart: Bars; axis: Axis; id: string }) {
  const { bars, series } = chart
  const place = { width: 100 / Math.max(1, bars.length), axis }
  return (
    <>
      <defs>
        {series.map((_, index) => (
          <Hatch index={index} id={id} />
        ))}
      </defs>
      <Marks axis={axis} />
      {bars.map((bar, index) => (
        <BarView bar={bar} chart={chart} at={{ ...place, index, count: bars.length }} id={id} />
      ))}
      <line class="axis" x1="0" x2="100%" y1={yOf(axis, 0)} y2={yOf(axis, 0)} />
    </>
  )
}

interface Place {
  index: number
  count: number
  /** Of a bar and the room beside it, in per cent. */
  width: number
  axis: Axis
}

function yOf({ top, bottom }: Axis, amount: number): number {
  return plot.top + rounded(((top - amount) / (top - bottom)) * plot.height)
}

function rounded(amount: number): number {
  return Math.round(amount * 100) / 100
}

/** Stripes in the colour of a series, on the ground of the page. */
function Hatch({ index, id }: { index: number; id: string }) {
  return (
    <pattern
      id={`${id}-hatch-${index}`}
      width="7"
      height="7"
      patternUnits="userSpaceOnUse"
      patternTransform="rotate(45)"
    >
      <rect class="ground" width="7" height="7" />
      <rect class={`series-${index}`} width="2.5" height="7" />
    </pattern>
  )
}

/** The round amounts, beside the bars: a picture of its own, since the bars take a share of whatever width is left. */
export function AxisNames({ axis }: { axis: Axis }) {
  return (
    <>
      {axis.marks.map((mark) => (
        <text x={gutter - 8} y={yOf(axis, mark) + 4}>
          {formatMoney(mark)}
        </text>
      ))}
    </>
  )
}

function Marks({ axis }: { axis: Axis }) {
  return (
    <g class="marks">
      {axis.marks.map((mark) => (
        <line x1="0" x2="100%" y1={yOf(axis, mark)} y2={yOf(axis, mark)} />
      ))}
    </g>
  )
}

function BarView({ bar, chart, at, id }: { bar: Bar; chart: Bars; at: Place; id: string }) {
  const middle = `${rounded((at.index + 0.5) * at.width)}%`
  const pieces = stacked(bar)
  const top = Math.min(yOf(at.axis, 0), ...pieces.map((piece) => topOf(piece, at.axis)))
  const foot = plot.top + plot.height
  return (
    <g class={roomFor(at)}>
      <title>{`${monthName(bar.month)}: ${formatMoney(totalOf(bar))} ${chart.unit}`}</title>
      {pieces.map((piece) => (
        <PieceView piece={piece} chart={chart} at={at} id={id} />
      ))}
      {pieces.length === 0 ? null : (
        <text class="total" x={middle} y={top - 5}>
          {formatMoney(totalOf(bar))}
        </text>
      )}
      <text class="month" x={middle} y={foot + 17}>
        {shortMonth(bar.month)}
      </text>
      {at.index === 0 || bar.month.endsWith('-01') ? (
        <text class={isCramped(chart, at.index) ? 'year cramped' : 'year'} x={middle} y={foot + 34}>
          {yearOf(bar.month)}
        </text>
      ) : null}
    </g>
  )
}

/** Two years side by side run into each other where there is little room. */
function isCramped({ bars }: Bars, index: number): boolean {
  return bars[index + 1]?.month.endsWith('-01') ?? false
}

/** Which words have room beside a bar: the style sheet shows them by how wide the window is. */
function roomFor({ index, count }: Place): string {
  const classes = ['bar-of']
  if (count <= 16) classes.push('roomy')
  if (index % Math.ceil(count / 24) === 0) classes.push('dated')
  if (index % Math.ceil(count / 7) === 0) classes.push('dated-narrow')
  return classes.join(' ')
}

function topOf({ from, to }: Piece, axis: Axis): number {
  return yOf(axis, Math.max(from, to))
}

function PieceView({ piece, chart, at, id }: { piece: Piece; chart: Bars; at: Place; id: string }) {
  const { series, kind, from, to } = piece
  const y = topOf(piece, at.axis)
  const box = {
    x: `${rounded((at.index + (1 - fill) / 2) * at.width)}%`,
    width: `${rounded(at.width * fill)}%`,
    y,
    height: Math.max(1, rounded(yOf(at.axis, Math.min(from, to)) - y)),
  }
  const said = kind === 'fact' ? 'charged' : 'to come'
  return (
    <rect {...look(kind, series, id)} {...box}>
      <title>{`${chart.series[series] ?? ''}: ${formatMoney(to - from)} ${chart.unit} ${said}`}</title>
    </rect>
  )
}

export function look(kind: Piece['kind'], series: number, id: string): { class: string; fill?: string } {
  return kind === 'fact'
    ? { class: `piece series-${series}` }
    : { class: `piece expected line-${series}`, fill: `url(#${id}-hatch-${series})` }
}

/** What the colours and the stripes stand for. */
function Legend({ chart: { series, bars }, id }: { chart: Bars; id: string }) {
  const expects = bars.some(({ forecasts }) => forecasts.some((amount) => amount !== 0))
  return (
    <figcaption>
      <ul>
        {series.map((name, index) => (
          <li>
            <Swatch kind="fact" series={index} id={id} />
            {name}
          </li>
        ))}
      </ul>
      {expects ? (
        <p>
          <span>
            <Swatch kind="fact" series={0} id={id} />
            Full: charged.
          </span>
          <span>
            <Swatch kind="forecast" series={0} id={id} />
            Striped: to come, if nothing changes.
          </span>
        </p>
      ) : null}
    </figcaption>
  )
}

function Swatch({ kind, series, id }: { kind: Piece['kind']; series: number; id: string }) {
  return (
    <svg class="swatch" width="18" height="14" aria-hidden="true" focusable="false">
      <rect {...look(kind, series, id)} x="1" y="1" width="16" height="12" />
    </svg>
  )
}
