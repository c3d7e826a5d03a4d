import { formatMoney, milliOf, minus } from '../../../pricing/money.ts'
import { counted, list } from '../../base/text.ts'
import type { QuoteView } from '../../operations/shapes/quote.ts'
import type { BudgetView } from '../../operations/show-budget.ts'
import type { Site } from '../../operations/site.ts'
import { money } from '../words.ts'
import type { OrderProps } from './order.tsx'

const lineWords = {
  base: 'Machines',
  memory: 'GB above the first',
  cpu: 'CPUs above the first',
  free: 'Free',
} as const

/** The price with its lines, and who will have to agree. */
export function Quote({ quote, refusal, site, budgets, form, user }: OrderProps) {
  const budget = budgets.find(({ code }) => code === (form.get('budget') ?? budgets[0]?.code))
  return (
    <>
      <h2>Price</h2>
      {quote === undefined ? (
        <p>{refusal?.message ?? 'Choose what you need, and see what it costs.'}</p>
      ) : (
        <Lines quote={quote} />
      )}
      {budget === undefined ? (
        <p>You may use no budget. Ask its holder to make you a member.</p>
      ) : (
        <Approval budget={budget} site={site} user={user} quote={quote} />
      )}
    </>
  )
}

function Lines({ quote }: { quote: QuoteView }) {
  const { currency } = quote
  return (
    <>
      <p class="total">{money(quote.total, currency)}</p>
      <p class="help">
        {`${counted(quote.days, 'day')}, of which ${quote.freeDays} are free. Afterwards ${money(quote.perDay, currency)} a day.`}
      </p>
      <table class="lines">
        <caption class="sr">Lines of the price</caption>
        <tbody>
          {quote.lines.map(({ item, quantity, days, unitPrice, amount }) => (
            <tr>
              <th scope="row">
                {lineWords[item]}
                <small>
                  {item === 'free'
                    ? ` ${counted(days, 'day')}`
                    : ` ${quantity} × ${counted(days, 'day')} × ${unitPrice}`}
                </small>
              </th>
              <td class="money">{amount}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

function Approval({
  budget,
  site,
  user,
  quote,
}: {
  budget: BudgetView
  site: Site
  user: string
  quote: QuoteView | undefined
}) {
  const rule = site.budgets.find(({ code }) => code === budget.code)
  const below = rule?.autoApproveBelow ?? 0
  const isBelow = quote !== undefined && milliOf(quote.total) < below
  const others = budget.holders.filter((holder) => holder !== user)
  return (
    <p class="help">
      {isBelow
        ? `Below ${money(formatMoney(below), budget.currency)}, so nobody needs to approve it. `
        : `To be approved by ${others.length === 0 ? 'a delegate or an operator' : list(others, 'or')}. `}
      {quote === undefined
        ? ''
        : `${budget.code} would have ${money(minus(budget.left, quote.total), budget.currency)} left.`}
    </p>
  )
}
