import { hasRole } from '../../identity/person.ts'
import { makeQuote } from '../../operations/make-quote.ts'
import { requestMachine } from '../../operations/request-machine.ts'
import { listBudgets } from '../../operations/show-budget.ts'
import type { Pages } from '../serve.tsx'
import { type Answer, attempt, type Fields, filled, type Visit } from '../visit.ts'
import { OrderPage, type OrderProps } from './order.tsx'
import { Quote } from './quote.tsx'

export function orderPages(pages: Pages): void {
  pages.get('/request', async (visit) => page(await priced(visit, visit.query)))
  pages.post('/fragments/quote', async (visit) => ({
    fragment: <Quote {...await priced(visit, visit.form)} />,
  }))
  pages.post('/request', order)
}

function page(props: OrderProps): Answer {
  const status = props.refusal?.status ?? 200
  return { title: 'Request a machine', current: '/', body: <OrderPage {...props} />, status }
}

/** The form with what was typed, and its price where it has one. */
async function priced(visit: Visit, form: Fields): Promise<OrderProps> {
  const { items: budgets } = await visit.perform(listBudgets, {})
  const outcome = await attempt(() => visit.perform(makeQuote, wish(visit, form)))
  return {
    site: visit.site,
    user: visit.caller.user,
    operator: hasRole(visit.caller, 'operator'),
    budgets: budgets.filter(({ open }) => open),
    form,
    quote: 'done' in outcome ? outcome.done : undefined,
    refusal: 'refusal' in outcome ? outcome.refusal : undefined,
  }
}

/** An end that was chosen counts instead of the days, which the form always shows some of. */
function wish(visit: Visit, form: Fields) {
  const { until, days = '30', ...rest } = filled(form, 'cpus', 'memoryGb', 'count', 'until', 'days', 'host')
  const template = form.get('template') ?? visit.site.templates[0]?.name ?? ''
  return { template, ...rest, ...(until === undefined ? { days } : { until }) }
}

async function order(visit: Visit): Promise<Answer> {
  const { form } = visit
  const input = {
    ...wish(visit, form),
    ...filled(form, 'name'),
    purpose: form.get('purpose') ?? '',
    budget: form.get('budget') ?? '',
    administrators: namesIn(form.get('administrators')),
  }
  const outcome = await attempt(() => visit.perform(requestMachine, input))
  if ('refusal' in outcome) return page({ ...(await priced(visit, form)), refusal: outcome.refusal })
  return { redirect: `/requests/${encodeURIComponent(outcome.done.id)}?done=asked` }
}

/** Names as people list them: with commas, semicolons or spaces between. */
function namesIn(text = ''): string[] {
  return text
    .split(/[\s,;]+/)
    .map((name) => name.replace(/^@/, ''))
    .filter((name) => name !== '')
}
