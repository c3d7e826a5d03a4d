import { formatMoney, type Milli, milliOf } from '../../pricing/money.ts'
import { monthName } from '../base/month.ts'
import { list } from '../base/text.ts'
import type { Bar, Bars } from './bars.ts'

/** Costs by month and by what they are for: machines, or budgets where several stand side by side. */
export interface Costs {
  currency: string
  thisMonth: string
  charged: string
  forecast: string
  months: Month[]
}

interface Amounts {
  charged: string
  forecast: string
}

interface Month extends Amounts {
  month: string
  machines: ({ machine: string } & Amounts)[]
}

/** As many as can be told apart by their colour; those that cost less are drawn as one. */
export const mostSeries = 6
export const others = 'others'
/** A chart of fewer months looks like a mistake. */
const fewestMonths = 6

/** The costs without the empty months before anything was charged and after everything has ended. */
export function trimmed(costs: Costs): Costs {
  const { months, thisMonth } = costs
  const isKept = (month: Month): boolean => month.machines.length > 0 || month.month === thisMonth
  const last = months.findLastIndex(isKept)
  const first = Math.min(months.findIndex(isKept), Math.max(0, last + 1 - fewestMonths))
  return { ...costs, months: months.slice(Math.max(0, first), last + 1) }
}

/** Costs of several budgets side by side. All have the same months. */
export function besides(budgets: readonly { code: string; costs: Costs }[]): Costs | undefined {
  const [first] = budgets
  if (first === undefined) return undefined
  const months = first.costs.months.map(({ month }): Month => {
    const machines = budgets.flatMap(({ code, costs }) => {
      const { charged, forecast } = costs.months.find((each) => each.month === month) ?? nothing
      return isNothing({ charged, forecast }) ? [] : [{ machine: code, charged, forecast }]
    })
    return { month, machines, ...added(machines) }
  })
  return { ...first.costs, ...added(months), months }
}

const nothing: Amounts = { charged: '0.00', forecast: '0.00' }

export function isNothing({ charged, forecast }: Amounts): boolean {
  return milliOf(charged) === 0 && milliOf(forecast) === 0
}

/** What each cost over all months, dearest first. */
export function byMachine({ months }: Costs): ({ machine: string; total: string } & Amounts)[] {
  const rows = new Map<string, Amounts[]>()
  for (const { machine, ...amounts } of months.flatMap(({ machines }) => machines)) {
    rows.set(machine, [...(rows.get(machine) ?? []), amounts])
  }
  return [...rows]
    .map(([machine, amounts]) => ({ machine, ...added(amounts) }))
    .map((row) => ({ ...row, total: sumOf(row) }))
    .sort((a, b) => milliOf(b.total) - milliOf(a.total) || (a.machine < b.machine ? -1 : 1))
}

/** What was charged and what is to come, together. */
export function sumOf({ charged, forecast }: Amounts): string {
  return formatMoney(milliOf(charged) + milliOf(forecast))
}

function added(rows: readonly Amounts[]): Amounts {
  const total = (amounts: readonly string[]): string =>
    formatMoney(amounts.reduce((sum, amount) => sum + milliOf(amount), 0))
  return { charged: total(rows.map((row) => row.charged)), forecast: total(rows.map((row) => row.forecast)) }
}

/** The chart of costs. @param whose what they are of, such as `T-1042` or `your machines` */
export function costBars(costs: Costs, whose: string): Bars {
  const names = byMachine(costs).map(({ machine }) => machine)
  const apart = names.length <= mostSeries ? names : names.slice(0, mostSeries - 1)
  const series = apart.length === names.length ? apart : [...apart, others]
  const bars = costs.months.map((month) => barOf(month, apart, series.length))
  return { alt: altOf(costs, whose), unit: costs.currency, series, bars }
}

function barOf({ month, machines }: Month, apart: readonly string[], count: number): Bar {
  const facts = Array<Milli>(count).fill(0)
  const forecasts = Array<Milli>(count).fill(0)
  for (const { machine, charged, forecast } of machines) {
    const known = apart.indexOf(machine)
    const at = known === -1 ? count - 1 : known
    facts[at] = (facts[at] ?? 0) + milliOf(charged)
    forecasts[at] = (forecasts[at] ?? 0) + milliOf(forecast)
  }
  return { month, facts, forecasts }
}

function altOf({ months, currency }: Costs, whose: string): string {
  const said = months.filter((month) => !isNothing(month)).map((month) => saidOf(month))
  const figures = said.length === 0 ? 'nothing at all' : list(said)
  return `Costs of ${whose} by month in ${currency}: ${figures}.`
}

function saidOf({ month, charged, forecast }: Month): string {
  const parts = [
    milliOf(charged) === 0 ? '' : `${charged} charged`,
    milliOf(forecast) === 0 ? '' : `${forecast} to come`,
  ].filter((part) => part !== '')
  return `${list(parts)} in ${monthName(month)}`
}
