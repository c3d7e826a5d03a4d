import { milliOf } from '../../../pricing/money.ts'
import { counted, list } from '../../base/text.ts'
import { type BudgetView, listBudgets } from '../../operations/show-budget.ts'
import { Bar } from '../parts.tsx'
import type { Pages } from '../serve.tsx'
import type { Visit } from '../visit.ts'
import { money } from '../words.ts'

export function budgetPages(pages: Pages): void {
  pages.get('/budgets', async (visit) => {
    const body = (
      <>
        <div class="title">
          <h1>Budgets</h1>
          <p class="links">
            <a href="/costs">What your machines cost</a> <a href="/costs?of=budgets">Budgets side by side</a>{' '}
            <a href="/prices">Prices</a>
          </p>
        </div>
        <div
          id="budgets"
          hx-get="/fragments/budgets"
          hx-trigger="budgets from:body throttle:700ms"
          hx-swap="innerMorph"
        >
          <Budgets items={await budgetsOf(visit)} />
        </div>
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
  const { code, title, currency } = budget
  const at = encodeURIComponent(code)
  return (
    <article id={`budget-${code}`}>
      <header>
        <h2>
          {code} <small>{title}</small>
        </h2>
      </header>
      <p class="lead">
        <strong>{money(budget.left, currency)}</strong>
        {` left of ${money(budget.limit, currency)}${budget.periodName === null ? '' : ` for ${budget.periodName}`}`}
      </p>
      <Closing budget={budget} />
      <Warning budget={budget} />
      <Shares budget={budget} />
      <p class="help">{sentence(budget)}</p>
      <div class="actions">
        <a href={`/costs?of=${at}`} role="button" class="secondary">
          Costs and statements<span class="sr">{` of ${code}`}</span>
        </a>
      </div>
    </article>
  )
}

/** What its holders are told of at 80 and at 100 %, and what the forecast says about the limit. */
function Warning({ budget: { limit, share, forecast, currency } }: { budget: BudgetView }) {
  const beyond = milliOf(forecast) - milliOf(limit)
  if (share >= 1) {
    return <p class="notice bad">Nothing is left: what costs money is refused until the limit is raised.</p>
  }
  if (beyond > 0) {
    return (
      <p class="notice warn">{`At this rate ${money(forecast, currency)} will be spent, which is more than the limit.`}</p>
    )
  }
  return share >= 0.8 ? <p class="notice warn">{`${percent(share)} of the limit is spent or held.`}</p> : null
}

function Closing({ budget: { closed, open } }: { budget: BudgetView }) {
  if (closed === null) return null
  return (
    <p class="notice warn">
      {open
        ? `From ${closed} on nothing new may be put on it.`
        : `It is closed since ${closed}: nothing new is put on it, and what runs is charged as ever.`}
    </p>
  )
}

function Shares({ budget }: { budget: BudgetView }) {
  const { currency } = budget
  const limit = Number(budget.limit)
  const share = (amount: string): number => (limit === 0 ? 0 : Number(amount) / limit)
  return (
    <>
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
        <div>
          <dt class="plain">{budget.periodName === null ? 'Spent when all has run' : 'Spent at its end'}</dt>
          <dd>{money(budget.forecast, currency)}</dd>
        </div>
      </dl>
    </>
  )
}

const periods: Readonly<Record<BudgetView['period'], string>> = {
  total: 'The limit counts for good.',
  year: 'The limit begins anew each year.',
  quarter: 'The limit begins anew each quarter.',
  month: 'The limit begins anew each month.',
}

function sentence({ share, machines, holders, delegates, period }: BudgetView): string {
  const taken = `${percent(share)} is spent or held, for ${counted(machines, 'machine')}.`
  const instead = delegates.length === 0 ? '' : `, today also by ${list(delegates, 'or')}`
  return `${taken} Decided on by ${list(holders, 'or')}${instead}. ${periods[period]}`
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`
}
