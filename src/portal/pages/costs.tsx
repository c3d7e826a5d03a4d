import { BarChart } from '../../charts/bar-chart.tsx'
import { besides, byMachine, costBars, type Costs, isNothing, sumOf, trimmed } from '../../charts/costs.ts'
import { monthName } from '../../base/month.ts'
import { counted } from '../../base/text.ts'
import { listBudgets } from '../../operations/show-budget.ts'
import { showCosts } from '../../operations/show-costs.ts'
import { Cell, Field, Table } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import type { Visit } from '../visit.ts'
import { money } from '../words.ts'

export function costPages(pages: Pages): void {
  pages.get('/costs', async (visit) => {
    const props = await propsOf(visit)
    return { title: `Costs of ${props.whose}`, current: '/budgets', body: <CostsPage {...props} /> }
  })
  pages.get('/budgets/:code', async (visit) => ({
    redirect: `/costs?of=${encodeURIComponent(visit.param('code'))}`,
  }))
}

/** What the page shows when no budget is named. */
const choices = { mine: 'My machines', budgets: 'Budgets, side by side' } as const

interface CostsProps {
  /** `mine`, `budgets`, or a budget's code; empty for one machine. */
  of: string
  whose: string
  /** What the costs are told apart by. */
  by: 'Machine' | 'Budget'
  budget: string | undefined
  machine: string | undefined
  codes: readonly { code: string; title: string }[]
  costs: Costs
  months: string
  ahead: string
}

async function propsOf(visit: Visit): Promise<CostsProps> {
  const { items: codes } = await visit.perform(listBudgets, {})
  const machine = visit.query.get('machine')
  const of = visit.query.get('of') ?? (machine === undefined ? 'mine' : '')
  const span = { months: visit.query.get('months') ?? '12', ahead: visit.query.get('ahead') ?? '3' }
  const shown = { of, machine, codes, ...span }
  if (of === '' && machine !== undefined) {
    const costs = await visit.perform(showCosts, { machine, ...span })
    return { ...shown, whose: machine, by: 'Machine', budget: undefined, costs: trimmed(costs) }
  }
  if (of === 'mine') {
    const costs = await visit.perform(showCosts, span)
    return { ...shown, whose: 'your machines', by: 'Machine', budget: undefined, costs: trimmed(costs) }
  }
  if (of === 'budgets') {
    const costs = await sideBySide(visit, codes, span)
    return { ...shown, whose: 'your budgets', by: 'Budget', budget: undefined, costs: trimmed(costs) }
  }
  const costs = await visit.perform(showCosts, { budget: of, ...span })
  const budget = of.toUpperCase()
  return { ...shown, whose: budget, by: 'Machine', budget, costs: trimmed(costs) }
}

async function sideBySide(
  visit: Visit,
  codes: readonly { code: string }[],
  span: { months: string; ahead: string },
): Promise<Costs> {
  const each = await Promise.all(
    codes.map(async ({ code }) => ({
      code,
      costs: await visit.perform(showCosts, { budget: code, ...span }),
    })),
  )
  return besides(each) ?? (await visit.perform(showCosts, span))
}

function CostsPage(props: CostsProps) {
  const { whose, costs, by } = props
  const rows = byMachine(costs)
  return (
    <>
      <p class="crumb">
        <a href="/budgets">Budgets</a>
      </p>
      <h1>{`Costs of ${whose}`}</h1>
      <Choice {...props} />
      <Total costs={costs} />
      {rows.length === 0 ? null : (
        <>
          <BarChart chart={costBars(costs, whose)} id="costs" />
          <div class="columns wide">
            <ByMonth {...props} />
            <ByMachine rows={rows} by={by} currency={costs.currency} />
          </div>
          <Everything costs={costs} by={by} />
        </>
      )}
    </>
  )
}

const spans = { months: [3, 6, 12, 24, 36], ahead: [0, 3, 6, 12] } as const

function Choice({ of, machine, codes, months, ahead }: CostsProps) {
  const options = [...Object.entries(choices), ...codes.map(({ code, title }) => [code, `${code} ${title}`])]
  return (
    <form method="get" action="/costs" class="row unprinted">
      <Field name="of" label="Costs of">
        {(attributes) => (
          <select {...attributes}>
            {machine === undefined ? null : (
              <option value="" selected={of === ''}>
                {machine}
              </option>
            )}
            {options.map(([value, name]) => (
              <option value={value} selected={value === of.toUpperCase() || value === of}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {machine === undefined ? null : <input type="hidden" name="machine" value={machine} />}
      <Field name="months" label="Months back">
        {(attributes) => <Numbers among={spans.months} chosen={months} attributes={attributes} />}
      </Field>
      <Field name="ahead" label="Months ahead">
        {(attributes) => <Numbers among={spans.ahead} chosen={ahead} attributes={attributes} />}
      </Field>
      <button type="submit" class="secondary">
        Show
      </button>
    </form>
  )
}

function Numbers(props: { among: readonly number[]; chosen: string; attributes: Record<string, string> }) {
  const { among, chosen, attributes } = props
  return (
    <select {...attributes}>
      {among.map((count) => (
        <option value={count} selected={String(count) === chosen}>
          {count === 0 ? 'none' : count}
        </option>
      ))}
    </select>
  )
}

function Total({ costs }: { costs: Costs }) {
  const { charged, forecast, currency, months } = costs
  if (months.every(isNothing)) {
    return <p class="empty">Nothing was charged in these months, and nothing is to come.</p>
  }
  return (
    <p class="lead">
      <strong>{money(charged, currency)}</strong>
      {' charged, '}
      <strong>{money(forecast, currency)}</strong>
      {` to come if nothing changes, in these ${counted(months.length, 'month')}.`}
    </p>
  )
}

/** Months with statements lead to them. */
function ByMonth({ costs, budget }: CostsProps) {
  const { months, thisMonth, currency } = costs
  return (
    <Table caption={`By month, in ${currency}`} columns={['Month', ...figures]} amounts={figures}>
      {months.map((each) => (
        <tr role="row">
          <Cell label="Month">
            {budget === undefined || each.month > thisMonth ? (
              monthName(each.month)
            ) : (
              <a href={`/budgets/${encodeURIComponent(budget)}/${each.month}`}>{monthName(each.month)}</a>
            )}
            {each.month === thisMonth ? <small> this month</small> : null}
          </Cell>
          <Amounts {...each} total={sumOf(each)} />
        </tr>
      ))}
      <tr role="row" class="sum">
        <Cell label="Month">Together</Cell>
        <Amounts {...costs} total={sumOf(costs)} />
      </tr>
    </Table>
  )
}

const figures = ['Charged', 'To come', 'Together']

function ByMachine({
  rows,
  by,
  currency,
}: {
  rows: ReturnType<typeof byMachine>
  by: CostsProps['by']
  currency: string
}) {
  return (
    <Table
      caption={`By ${by.toLowerCase()}, in ${currency}, dearest first`}
      columns={[by, ...figures]}
      amounts={figures}
    >
      {rows.map((row) => (
        <tr role="row">
          <Cell label={by}>
            {by === 'Budget' ? (
              <a href={`/costs?of=${encodeURIComponent(row.machine)}`}>{row.machine}</a>
            ) : (
              row.machine
            )}
          </Cell>
          <Amounts {...row} />
        </tr>
      ))}
    </Table>
  )
}

function Amounts(row: { charged: string; forecast: string; total: string }) {
  return (
    <>
      <Cell label="Charged" money>
        {row.charged}
      </Cell>
      <Cell label="To come" money>
        {row.forecast}
      </Cell>
      <Cell label="Together" money>
        {row.total}
      </Cell>
    </>
  )
}

/** Every figure of the chart in words. */
function Everything({ costs, by }: Pick<CostsProps, 'costs' | 'by'>) {
  return (
    <details>
      <summary>{`Every month by ${by.toLowerCase()}`}</summary>
      <Table
        caption={`Every figure of the chart, in ${costs.currency}`}
        columns={['Month', by, ...figures]}
        amounts={figures}
      >
        {costs.months.flatMap(({ month, machines }) =>
          machines.map((row) => (
            <tr role="row">
              <Cell label="Month">{monthName(month)}</Cell>
              <Cell label={by}>{row.machine}</Cell>
              <Amounts {...row} total={sumOf(row)} />
            </tr>
          )),
        )}
      </Table>
    </details>
  )
}
