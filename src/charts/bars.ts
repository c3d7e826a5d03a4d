import { formatMoney, type Milli } from '../../pricing/money.ts'

/**
 * A chart of amounts by month as plain data: a card or a page carries it, and whoever shows it draws it as its platform
 * can. Facts and forecasts are apart, so that no drawing can mix them up.
 */
export interface Bars {
  /** What the picture says, for those who do not see it. */
  alt: string
  /** What the amounts are in, such as `CHF`. */
  unit: string
  /** What is stacked, from the axis on. */
  series: string[]
  /** In the order of time. Each has an amount for each series. */
  bars: Bar[]
}

export interface Bar {
  /** `2026-11`. */
  month: string
  /** What was charged. */
  facts: Milli[]
  /** What is expected. */
  forecasts: Milli[]
}

/** A part of a bar, between two amounts. */
export interface Piece {
  series: number
  kind: 'fact' | 'forecast'
  from: Milli
  to: Milli
}

/** The parts of a bar: facts first, forecasts on top of them. What is below nothing hangs below the axis. */
export function stacked({ facts, forecasts }: Bar): Piece[] {
  let [above, below] = [0, 0]
  const pieces: Piece[] = []
  for (const [kind, amounts] of [['fact', facts] as const, ['forecast', forecasts] as const]) {
    for (const [series, amount] of amounts.entries()) {
      if (amount === 0) continue
      const from = amount > 0 ? above : below
      pieces.push({ series, kind, from, to: from + amount })
      if (amount > 0) above += amount
      else below += amount
    }
  }
  return pieces
}

export function totalOf({ facts, forecasts }: Bar): Milli {
  return [...facts, ...forecasts].reduce((sum, amount) => sum + amount, 0)
}

/** An axis from `bottom` to `top` with its marks, which are round amounts. */
export interface Axis {
  bottom: Milli
  top: Milli
  marks: Milli[]
}

/** The axis that all bars fit on, with about four marks above nothing. */
export function axisFor(bars: readonly Bar[]): Axis {
  const ends = bars.flatMap(stacked).flatMap(({ from, to }) => [from, to])
  const [lowest, highest] = [Math.min(0, ...ends), Math.max(0, ...ends)]
  const step = roundStep((highest - lowest) / 4)
  const [first, last] = [Math.floor(lowest / step), Math.max(1, Math.ceil(highest / step))]
  const marks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step)
  return { bottom: first * step, top: last * step, marks }
}

/** The next of 1, 2 and 5 times a power of ten that is no less than `least`; hundredths are the finest. */
function roundStep(least: number): Milli {
  const power = 10 ** Math.floor(Math.log10(Math.max(10, least)))
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power
}

const widest = 24

/** The chart for where there are only letters: a line for each month, `█` for what was charged and `░` for the rest. */
export function barsAsText({ bars, unit }: Bars): string {
  const most = Math.max(1, ...bars.map((bar) => sum(bar.facts) + sum(bar.forecasts)))
  const rows = bars.map((bar) => {
    const facts = Math.round((sum(bar.facts) / most) * widest)
    const all = Math.round(((sum(bar.facts) + sum(bar.forecasts)) / most) * widest)
    const drawn = '█'.repeat(Math.max(0, facts)) + '░'.repeat(Math.max(0, all - Math.max(0, facts)))
    return `${bar.month}  ${drawn.padEnd(widest)}  ${formatMoney(totalOf(bar)).padStart(9)} ${unit}`
  })
  return [...rows, '█ charged  ░ to come, if nothing changes'].join('\n')
}

function sum(amounts: readonly Milli[]): Milli {
  return amounts.reduce((total, amount) => total + amount, 0)
}
