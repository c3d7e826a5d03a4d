import { list } from '../../src/base/text.ts'
import type { QuoteView } from '../../src/operations/shapes/quote.ts'
import type { Card, Field } from '../card.ts'
import { card, facts, field, type FieldFault, type FieldSpec, termHint, words } from './parts.ts'
import type { TemplateView } from './templates.ts'
import { priceWords } from './words.ts'

/** What a form for servers shows: what is known already as text, what may be chosen, and what was wrong. */
export interface OrderForm {
  kind: 'request' | 'quote' | { edits: string }
  known: Readonly<Record<string, string>>
  templates: readonly TemplateView[]
  budgets: readonly { code: string; title: string; left: string; currency: string }[]
  /** Classes of hosts to choose from; none where there is no choice. */
  groups?: readonly { name: string; title: string }[]
  quote?: QuoteView
  faults: readonly FieldFault[]
}

export function orderForm(form: OrderForm, operator: boolean): Card {
  const { kind, quote, faults } = form
  const said = wordsOf(kind)
  const fields = orderFields(form, operator)
  const missing = fields
    .filter(({ required, value }) => required && value === '')
    .map(({ label }) => label.toLowerCase())
  const general = faults.filter(({ path }) => !fields.some(({ name }) => name === path))
  return card({
    summary: faults[0]?.message ?? missingSentence(missing, quote),
    title: said.title,
    tone: faults.length > 0 ? 'warn' : 'neutral',
    parts: [
      ...general.slice(1).map(({ message }) => words(message)),
      quote === undefined
        ? undefined
        : facts(
            ['Price', `${priceWords(quote.total, quote.currency)} for ${quote.days} days`],
            ['Per day', `${quote.perDay} ${quote.currency} once its free days are over`],
          ),
      {
        kind: 'form',
        action: said.action,
        value: typeof kind === 'string' ? (form.known.host ?? '') : kind.edits,
        submit: said.submit,
        fields,
      },
    ],
  })
}

function wordsOf(kind: OrderForm['kind']): { title: string; action: string; submit: string } {
  if (kind === 'request') return { title: 'Request servers', action: kind, submit: 'Request' }
  if (kind === 'quote') return { title: 'Price of servers', action: kind, submit: 'Show the price' }
  return { title: `Change ${kind.edits}`, action: 'edit-request', submit: 'Change' }
}

function missingSentence(missing: readonly string[], quote: QuoteView | undefined): string {
  const price = quote === undefined ? '' : `This costs ${priceWords(quote.total, quote.currency)}. `
  return missing.length === 0
    ? `${price}Look it over and send it.`
    : `${price}Still needed: ${list(missing)}.`
}

function orderFields(form: OrderForm, operator: boolean): Field[] {
  const { kind } = form
  if (kind === 'quote') return whatFields(form)
  return [
    ...whatFields(form),
    ...diskFields(form),
    ...whyFields(form),
    ...(operator ? [hostField(form)] : []),
  ]
}

/** What is wanted: all that a price depends on. */
function whatFields({ known, templates, faults, groups = [] }: OrderForm): Field[] {
  const { template = '', term = '', count = '', cpus = '', memory = '' } = known
  const chosen = templates.find(({ name }) => name === template)
  const choices = templates.map(({ name, title }) => ({ value: name, label: `${name}: ${title}` }))
  const specs: FieldSpec[] = [
    { name: 'template', label: 'Template', kind: 'choice', value: template, required: true, choices },
    { name: 'term', label: 'For how long', value: term, hint: termHint, required: true },
    { name: 'count', label: 'How many', kind: 'number', value: count || '1' },
    { name: 'cpus', label: 'CPUs', kind: 'number', value: cpus, hint: limit(chosen?.cpus, '') },
    {
      name: 'memory',
      label: 'Memory in GB',
      kind: 'number',
      value: memory,
      hint: limit(chosen?.memoryGb, ' GB'),
    },
    ...classField(groups, known.group),
  ]
  return specs.map((spec) => field(spec, faults))
}

function classField(groups: NonNullable<OrderForm['groups']>, chosen = groups[0]?.name ?? ''): FieldSpec[] {
  if (groups.length === 0) return []
  const choices = groups.map(({ name, title }) => ({ value: name, label: title }))
  return [{ name: 'group', label: 'Class', kind: 'choice', value: chosen, choices }]
}

/** Of a template whose disk is empty. */
function diskFields({ known, templates, faults }: OrderForm): Field[] {
  const chosen = templates.find(({ name }) => name === known.template)
  if (chosen?.kind !== 'empty') return []
  const specs: FieldSpec[] = [
    { name: 'diskGb', label: 'Disk in GB', kind: 'number', value: known.diskGb ?? '' },
    { name: 'boot', label: 'Boots from', value: known.boot ?? '', hint: 'network, or the name of a disc' },
  ]
  return specs.map((spec) => field(spec, faults))
}

/** Who pays and why, and what else an approver reads. */
function whyFields({ known, budgets, faults }: OrderForm): Field[] {
  const { budget = '', purpose = '', name = '', administrators = '', description = '' } = known
  const only = budgets.length === 1 ? (budgets[0]?.code ?? '') : ''
  const choices = budgets.map(({ code, title, left, currency }) => ({
    value: code,
    label: `${code}: ${title}, ${left} ${currency} left`,
  }))
  const specs: FieldSpec[] = [
    {
      name: 'budget',
      label: 'Budget that pays',
      kind: 'choice',
      value: budget || only,
      required: true,
      choices,
    },
    {
      name: 'purpose',
      label: 'What it is for',
      value: purpose,
      hint: 'its approver reads this',
      required: true,
    },
    { name: 'name', label: 'Name', value: name, hint: 'one is chosen when you leave it out' },
    {
      name: 'administrators',
      label: 'Administrators',
      value: administrators,
      hint: 'users and groups who may do what you may; be a member of the group yourself',
    },
    { name: 'description', label: 'Description', value: description },
  ]
  return specs.map((spec) => field(spec, faults))
}

function hostField({ known, faults }: OrderForm): Field {
  return field(
    { name: 'host', label: 'Host', value: known.host ?? '', hint: 'left out, one is found' },
    faults,
  )
}

function limit(range: { default: number; max: number } | undefined, unit: string): string {
  return range === undefined
    ? 'as the template says when you leave it out'
    : `${range.default}${unit} when you leave it out, at most ${range.max}${unit}`
}
