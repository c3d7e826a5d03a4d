import { list } from '../../src/base/text.ts'
import type { Card } from '../card.ts'
import { card, facts, table } from './parts.ts'

/** A tariff as its operation shows it. */
export interface TariffView {
  name: string
  from: string
  /** The classes of machines that it is for; absent where it covers the rest. */
  for?: string[] | undefined
  /** Whether servers are priced by it today. */
  servers: boolean
  freeDays: number
  freeDaysCover: 'all' | 'base'
  base: string
  perGb: string
  perCpu: string
  /** An hour of a session on a desktop that is begun. */
  perLeaseHour?: string | undefined
  /** Whether anything is priced by it today. */
  holds: boolean
}

export function pricesCard(prices: { currency: string; tariffs: readonly TariffView[] }): Card {
  const { currency, tariffs } = prices
  const present = tariffs.find(({ servers }) => servers)
  if (present === undefined) {
    return card({ summary: 'There is no price list.', title: 'Prices', tone: 'neutral' })
  }
  const covers = present.freeDaysCover === 'all' ? 'everything' : 'the server, not its extra memory and CPUs'
  return card({
    summary: `A server costs ${present.base} ${currency} a day, and its first ${present.freeDays} days are free.`,
    title: 'Prices',
    tone: 'neutral',
    parts: [
      facts(
        ['A server with 1 CPU and 1 GB', `${present.base} ${currency} a day`],
        ['Each GB above the first', `${present.perGb} ${currency} a day`],
        ['Each CPU above the first', `${present.perCpu} ${currency} a day`],
        ['Each hour of a session on a desktop', sessionPrices(prices)],
        ['Free days', `${present.freeDays} from its creation; they cover ${covers}`],
      ),
      tariffs.length === 1 ? undefined : historyTable(tariffs, currency),
    ],
  })
}

function sessionPrices({ currency, tariffs }: { currency: string; tariffs: readonly TariffView[] }) {
  const priced = tariffs.flatMap(({ holds, perLeaseHour }) =>
    holds && perLeaseHour !== undefined ? [`${perLeaseHour} ${currency}`] : [],
  )
  return priced.length === 0 ? null : `${list(priced, 'or')}, where its pool has a budget`
}

function historyTable(tariffs: readonly TariffView[], currency: string) {
  const isByClass = tariffs.some((tariff) => tariff.for !== undefined)
  const whom = (classes: readonly string[] | undefined): string[] =>
    isByClass ? [classes === undefined ? 'the rest' : list(classes)] : []
  return table(
    `Tariffs by the day they hold from, in ${currency} a day`,
    ['From', 'Name', ...(isByClass ? ['For'] : []), 'Server', 'GB', 'CPU', 'Free days'],
    tariffs.map(({ from, name, base, perGb, perCpu, freeDays, for: classes }) => [
      from,
      name,
      ...whom(classes),
      base,
      perGb,
      perCpu,
      String(freeDays),
    ]),
  )
}
