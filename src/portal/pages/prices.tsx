import { localDay } from '../../base/period.ts'
import { counted, list } from '../../base/text.ts'
import { listPrices } from '../../operations/list-prices.ts'
import { Cell, Table } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import { money } from '../words.ts'

export function pricePages(pages: Pages): void {
  pages.get('/prices', async (visit) => {
    const prices = await visit.perform(listPrices, {})
    const body = <PricesPage {...prices} today={localDay(visit.now, visit.site.timezone)} />
    return { title: 'Prices', current: '/budgets', body }
  })
}

interface Tariff {
  name: string
  from: string
  for?: string[] | undefined
  holds: boolean
  servers: boolean
  freeDays: number
  freeDaysCover: 'all' | 'base'
  base: string
  perGb: string
  perCpu: string
  perLeaseHour?: string | undefined
  saved?: Resting | undefined
  archived?: Resting | undefined
}

interface Resting {
  base?: string | undefined
  perGb?: string | undefined
  perCpu?: string | undefined
}

interface Prices {
  currency: string
  tariffs: Tariff[]
  today: string
}

function PricesPage({ currency, tariffs, today }: Prices) {
  const present = tariffs.find(({ servers }) => servers)
  return (
    <>
      <p class="crumb">
        <a href="/budgets">Budgets</a>
      </p>
      <h1>Prices</h1>
      {present === undefined ? (
        <p class="empty">There is no price list.</p>
      ) : (
        <>
          <p class="lead">
            {'A machine with 1 CPU and 1 GB costs '}
            <strong>{`${money(present.base, currency)} a day`}</strong>
            {`, and its first ${counted(present.freeDays, 'day')} are free.`}
          </p>
          <p>{rules(present, currency)}</p>
          <Sessions tariffs={tariffs} currency={currency} />
          <Table
            caption={`Tariffs by the day they hold from, in ${currency} a day`}
            columns={['From', 'Tariff', ...Object.values(columns), 'Free']}
            amounts={Object.values(columns)}
          >
            {tariffs.flatMap((tariff) => rowsOf(tariff, today))}
          </Table>
          <p class="help">
            A day is a day of the site's calendar, and each goes by the tariff that holds on it. A machine is
            charged for what it was promised, whether it is used or not; a request shows its price before it
            is made.
          </p>
        </>
      )}
    </>
  )
}

/** What desktops cost by the hour today, where they cost anything. */
function Sessions({ tariffs, currency }: Pick<Prices, 'tariffs' | 'currency'>) {
  const priced = tariffs.flatMap(({ name, holds, perLeaseHour }) =>
    holds && perLeaseHour !== undefined ? [`${money(perLeaseHour, currency)} (${name})`] : [],
  )
  if (priced.length === 0) return null
  return (
    <p>{`Each hour of a session on a desktop that is begun costs ${list(priced, 'or')}, where its pool has a budget.`}</p>
  )
}

const columns = {
  base: 'A machine',
  perGb: 'Each GB above the first',
  perCpu: 'Each CPU above the first',
} as const

function rules({ perGb, perCpu, freeDaysCover }: Tariff, currency: string): string {
  const covers = freeDaysCover === 'all' ? 'everything' : 'the machine, not its further memory and CPUs'
  return (
    `Each further GB costs ${money(perGb, currency)} and each further CPU ${money(perCpu, currency)} a day. ` +
    `Free days are counted from the day a machine is made and cover ${covers}.`
  )
}

function rowsOf(tariff: Tariff, today: string) {
  const { from, freeDays, saved, archived, holds } = tariff
  const when = holds ? 'holds today' : from > today ? 'to come' : 'past'
  const name = tariff.for === undefined ? tariff.name : `${tariff.name}, for ${list(tariff.for)}`
  return [
    <PriceRow from={from} when={when} name={name} free={counted(freeDays, 'day')} prices={tariff} />,
    ...(saved === undefined
      ? []
      : [<PriceRow from={from} name={`${name}, while saved`} prices={{ ...tariff, ...saved }} />]),
    ...(archived === undefined
      ? []
      : [<PriceRow from={from} name={`${name}, in the library`} prices={{ ...tariff, ...archived }} />]),
  ]
}

function PriceRow(row: { from: string; when?: string; name: string; free?: string; prices: Resting }) {
  const { from, when, name, free, prices } = row
  return (
    <tr role="row">
      <Cell label="From">
        {from}
        {when === undefined ? null : <small>{` ${when}`}</small>}
      </Cell>
      <Cell label="Tariff">{name}</Cell>
      {(['base', 'perGb', 'perCpu'] as const).map((key) => (
        <Cell label={columns[key]} money>
          {prices[key] ?? ''}
        </Cell>
      ))}
      <Cell label="Free">{free ?? 'as above'}</Cell>
    </tr>
  )
}
