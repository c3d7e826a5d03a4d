import { hasRole } from '../../identity/person.ts'
import type { Refusal } from '../../base/errors.ts'
import { serverGroup } from '../../machines/host.ts'
import { localDay } from '../../base/period.ts'
import { editRequest } from '../../operations/edit-request.ts'
import { groupsFor } from '../../operations/groups.ts'
import { makeQuote } from '../../operations/make-quote.ts'
import { requestMachine } from '../../operations/request-machine.ts'
import type { RequestView } from '../../operations/shapes/request.ts'
import { listBudgets } from '../../operations/show-budget.ts'
import { showRequest } from '../../operations/show-request.ts'
import type { Site } from '../../operations/site.ts'
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
  pages.get('/requests/:id/edit', async (visit) => editPage(visit, await requestToEdit(visit)))
  pages.post('/requests/:id/edit', edit)
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
    groups: groupsFor(visit.caller, visit.site),
    budgets: budgets.filter(({ open }) => open),
    form,
    quote: 'done' in outcome ? outcome.done : undefined,
    refusal: 'refusal' in outcome ? outcome.refusal : undefined,
  }
}

/** An end that was chosen counts instead of the days, which the form always shows some of. */
function wish(visit: Visit, form: Fields) {
  const isNew = form.get('edits') === undefined
  const {
    until,
    days = isNew ? '30' : undefined,
    ...rest
  } = filled(form, 'cpus', 'memoryGb', 'count', 'until', 'days', 'host', 'group', 'apart')
  const template = form.get('template') ?? visit.site.templates[0]?.name ?? ''
  if (until === undefined && days !== undefined) return { template, ...rest, days }
  return { template, ...rest, until: until ?? 'never' }
}

async function requestToEdit(visit: Visit): Promise<RequestView> {
  return visit.perform(showRequest, { id: visit.param('id') })
}

/** The form with what the request asks for now, and over it what was typed. */
async function editPage(visit: Visit, request: RequestView, refusal?: Refusal): Promise<Answer> {
  const known = fieldsOf(request, visit.site)
  const typed = refusal === undefined ? visit.query : visit.form
  const isTyped = typed.get('edits') !== undefined
  const get = (name: string): string | undefined =>
    name === 'edits' ? request.id : isTyped ? typed.get(name) : known[name] || undefined
  const props = await priced(visit, { get, exact: (name) => get(name) ?? '' })
  const faults = refusal === undefined ? {} : { refusal }
  const body = <OrderPage {...props} {...faults} edits={request.id} />
  return { title: `Change ${request.id}`, current: '/requests', body, status: refusal?.status ?? 200 }
}

async function edit(visit: Visit): Promise<Answer> {
  const request = await requestToEdit(visit)
  const changes = changesIn(visit.form, fieldsOf(request, visit.site))
  const outcome = await attempt(() => visit.perform(editRequest, { id: request.id, ...changes }))
  if ('refusal' in outcome) return editPage(visit, request, outcome.refusal)
  return { redirect: `/requests/${encodeURIComponent(request.id)}?done=edit` }
}

type Known = Readonly<Record<string, string>>

/** What a request asks for, as the form has it. */
function fieldsOf(request: RequestView, { timezone }: Site): Known {
  const { template, cpus, memoryGb, count, days, until, wanted, purpose, budget, administrators } = request
  return {
    template,
    cpus: String(cpus),
    memoryGb: String(memoryGb),
    count: String(count),
    days: days === null ? '' : String(days),
    until: days !== null || until === null ? '' : localDay(until, timezone),
    name: wanted?.name ?? '',
    host: wanted?.host ?? '',
    diskGb: String(wanted?.disk?.gb ?? ''),
    boot: wanted?.disk?.boot ?? '',
    group: wanted?.group ?? serverGroup,
    apart: wanted?.apart === true ? 'true' : '',
    purpose,
    budget,
    administrators: administrators.join(', '),
  }
}

/** The fields that say something else now. An end counts instead of days; what was left empty stays as it was. */
function changesIn(form: Fields, known: Known) {
  const { administrators, until, days, ...rest } = filled(
    form,
    ...([
      'template',
      'cpus',
      'memoryGb',
      'count',
      'name',
      'host',
      'group',
      'apart',
      'purpose',
      'budget',
      'diskGb',
      'boot',
    ] as const),
    ...(['administrators', 'until', 'days'] as const),
  )
  const others = Object.entries(rest).filter(([name, value]) => value !== known[name])
  const isOther = (name: string, value: string | undefined): boolean => (value ?? '') !== known[name]
  const term =
    until !== undefined && isOther('until', until)
      ? { until }
      : until === undefined && days !== undefined && isOther('days', days)
        ? { days }
        : {}
  return {
    ...Object.fromEntries(others),
    ...term,
    ...(isOther('administrators', administrators) ? { administrators: namesIn(administrators) } : {}),
  }
}

async function order(visit: Visit): Promise<Answer> {
  const { form } = visit
  const input = {
    ...wish(visit, form),
    ...filled(form, 'name', 'diskGb', 'boot'),
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
