import { counted, list } from '../../base/text.ts'
import { listPrices } from '../../operations/list-prices.ts'
import { type BudgetView, listBudgets } from '../../operations/show-budget.ts'
import { Bar, Cell, Table } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import type { Visit } from '../visit.ts'
import { money } from '../words.ts'

export function budgetPages(pages: Pages): void {
  pages.get('/budgets', async (visit) => {
    const [budgets, prices] = await Promise.all([budgetsOf(visit), visit.perform(listPrices, {})])
    const body = (
      <>
        <h1>Budgets</h1>
        <div
          id="budgets"
          hx-get="/fragments/budgets"
          hx-trigger="budgets from:body throttle:700ms"
          hx-swap="innerMorph"
        >
          <Budgets items={budgets} />
        </div>
        <Prices prices={prices} />
      </>
    )
    return { title: 'Budgets', current: '/budgets', body }
  })
  pages.get('/fragments/budgets', async (visit) => ({ fragment: <Budgets items={await budgetsOf(visit)} /> }))
}

async function budgetsOf(visit: Visit): Promise<BudgetView[]> {
  return (await visit.perform(listBudgets, {})).items
}

function Budgets({ items }: { items: readonly BudgetView[] }) {
  if (items.length === 0) {
    return <p class="empty">You may use no budget. Ask the holder of one to make you a member.</p>
  }
  return (
    <div class="cards">
      {items.map((budget) => (
        <Budget key={budget.code} budget={budget} />
      ))}
    </div>
  )
}

function Budget({ budget }: { budget: BudgetView }) {
  const { code, title, currency, holders, machines } = budget
  const limit = Number(budget.limit)
  const share = (amount: string): number => (limit === 0 ? 0 : Number(amount) / limit)
  return (
    <article>
      <header>
        <h2>
          {code} <small>{title}</small>
        </h2>
      </header>
      <p class="lead">
        <strong>{money(budget.left, currency)}</strong>
        {` left of ${money(budget.limit, currency)}`}
      </p>
      <Bar
        segments={[
          { share: share(budget.spent), kind: 'spent' },
          { share: share(budget.held), kind: 'held' },
        ]}
      />
      <dl class="legend">
        <div>
          <dt class="spent">Spent</dt>
          <dd>{money(budget.spent, currency)}</dd>
        </div>
        <div>
          <dt class="held">Held for what is approved</dt>
          <dd>{money(budget.held, currency)}</dd>
        </div>
        <div>
          <dt class="rest">Left</dt>
          <dd>{money(budget.left, currency)}</dd>
        </div>
      </dl>
      <p class="help">{`${Math.round(budget.share * 100)} % is spent or held, for ${counted(machines, 'machine')}. Decided on by ${list(holders, 'or')}.`}</p>
    </article>
  )
}

interface PriceList {
  currency: string
  tariffs: {
    name: string
    from: string
    freeDays: number
    freeDaysCover: string
    base: string
    perGb: string
    perCpu: string
  }[]
}

function Prices({ prices: { currency, tariffs } }: { prices: PriceList }) {
  const columns = [
    'From',
    'Tariff',
    'A machine',
    'Each GB above the first',
    'Each CPU above the first',
    'Free',
  ]
  return (
    <Table caption={`Prices in ${currency} for a day`} columns={columns}>
      {tariffs.map(({ name, from, base, perGb, perCpu, freeDays, freeDaysCover }) => (
        <tr role="row">
          <Cell label="From">{from}</Cell>
          <Cell label="Tariff">{name}</Cell>
          <Cell label="A machine">{base}</Cell>
          <Cell label="Each GB above the first">{perGb}</Cell>
          <Cell label="Each CPU above the first">{perCpu}</Cell>
          <Cell label="Free">
            {`the first ${counted(freeDays, 'day')}${freeDaysCover === 'all' ? '' : ', of the base price only'}`}
          </Cell>
        </tr>
      ))}
    </Table>
  )
}
