import type { QuoteView } from '../../src/operations/shapes/quote.ts'
import type { MachineView } from '../../src/operations/shapes/machine.ts'
import type { Card, Field } from '../card.ts'
import type { Drawing } from './drawing.ts'
import { card, facts, field, type FieldFault, words } from './parts.ts'
import type { TemplateView } from './templates.ts'
import { priceWords, sizeWords, when } from './words.ts'
import { list } from '../../src/base/text.ts'

/** What a form for servers shows: what is known already as text, what may be chosen, and what was wrong. */
export interface OrderForm {
  kind: 'request' | 'quote'
  known: Readonly<Record<string, string>>
  templates: readonly TemplateView[]
  budgets: readonly { code: string; title: string; left: string; currency: string }[]
  quote?: QuoteView
  faults: readonly FieldFault[]
}

const termHint = 'such as 30d, 2 weeks, 1mo, until 2026-12-31'

export function orderForm(form: OrderForm, operator: boolean): Card {
  const { kind, quote, faults } = form
  const fields = orderFields(form, operator)
  const missing = fields
    .filter(({ required, value }) => required && value === '')
    .map(({ label }) => label.toLowerCase())
  const general = faults.filter(({ path }) => !fields.some(({ name }) => name === path))
  return card({
    summary: faults[0]?.message ?? missingSentence(missing, quote),
    title: kind === 'request' ? 'Request servers' : 'Price of servers',
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
        action: kind,
        value: form.known.host ?? '',
        submit: kind === 'request' ? 'Request' : 'Show the price',
        fields,
      },
    ],
  })
}

function missingSentence(missing: readonly string[], quote: QuoteView | undefined): string {
  const price = quote === undefined ? '' : `This costs ${priceWords(quote.total, quote.currency)}. `
  return missing.length === 0
    ? `${price}Look it over and send it.`
    : `${price}Still needed: ${list(missing)}.`
}

function orderFields(form: OrderForm, operator: boolean): Field[] {
  const { kind, known, templates, budgets, faults } = form
  const at = (name: string): string => known[name] ?? ''
  const onlyBudget = budgets.length === 1 ? (budgets[0]?.code ?? '') : ''
  const chosen = templates.find(({ name }) => name === known.template)
  const what: Field[] = [
    field(
      {
        name: 'template',
        label: 'Template',
        kind: 'choice',
        value: at('template'),
        required: true,
        choices: templates.map(({ name, title }) => ({ value: name, label: `${name}: ${title}` })),
      },
      faults,
    ),
    field({ name: 'term', label: 'For how long', value: at('term'), hint: termHint, required: true }, faults),
    field({ name: 'count', label: 'How many', kind: 'number', value: at('count') || '1' }, faults),
    field(
      { name: 'cpus', label: 'CPUs', kind: 'number', value: at('cpus'), ...limit(chosen?.cpus, '') },
      faults,
    ),
    field(
      {
        name: 'memory',
        label: 'Memory in GB',
        kind: 'number',
        value: at('memory'),
        ...limit(chosen?.memoryGb, ' GB'),
      },
      faults,
    ),
  ]
  if (kind === 'quote') return what
  const why: Field[] = [
    field(
      {
        name: 'budget',
        label: 'Budget that pays',
        kind: 'choice',
        value: at('budget') || onlyBudget,
        required: true,
        choices: budgets.map(({ code, title, left, currency }) => ({
          value: code,
          label: `${code}: ${title}, ${left} ${currency} left`,
        })),
      },
      faults,
    ),
    field(
      {
        name: 'purpose',
        label: 'What it is for',
        value: at('purpose'),
        hint: 'its approver reads this',
        required: true,
      },
      faults,
    ),
    field(
      { name: 'name', label: 'Name', value: at('name'), hint: 'one is chosen when you leave it out' },
      faults,
    ),
    field(
      {
        name: 'administrators',
        label: 'Administrators',
        value: at('administrators'),
        hint: 'users and groups who may do what you may; be a member of the group yourself',
      },
      faults,
    ),
    field({ name: 'description', label: 'Description', value: at('description') }, faults),
  ]
  const host = field(
    { name: 'host', label: 'Host', value: at('host'), hint: 'left out, one is found' },
    faults,
  )
  return operator ? [...what, ...why, host] : [...what, ...why]
}

function limit(range: { default: number; max: number } | undefined, unit: string): { hint: string } {
  return {
    hint:
      range === undefined
        ? 'as the template says when you leave it out'
        : `${range.default}${unit} when you leave it out, at most ${range.max}${unit}`,
  }
}

export function extendForm(
  machine: MachineView,
  known: { term: string },
  faults: readonly FieldFault[],
  drawing: Drawing,
): Card {
  const { name, expiresAt } = machine
  const ends = expiresAt === null ? 'has no end' : `ends on ${when(expiresAt, drawing)}`
  return card({
    summary: faults[0]?.message ?? `${name} ${ends}. How much longer?`,
    title: `Extend ${name}`,
    tone: faults.length > 0 ? 'warn' : 'neutral',
    parts: [
      {
        kind: 'form',
        action: 'extend',
        value: name,
        submit: 'Extend',
        fields: [
          field(
            { name: 'term', label: 'How much longer', value: known.term, hint: termHint, required: true },
            faults,
          ),
        ],
      },
    ],
  })
}

export function resizeForm(
  machine: MachineView,
  known: { cpus: string; memory: string },
  template: TemplateView | undefined,
  faults: readonly FieldFault[],
): Card {
  const { name } = machine
  return card({
    summary: faults[0]?.message ?? `${name} has ${sizeWords(machine)}. What should it have?`,
    title: `Resize ${name}`,
    tone: faults.length > 0 ? 'warn' : 'neutral',
    parts: [
      {
        kind: 'form',
        action: 'resize',
        value: name,
        submit: 'Resize',
        fields: [
          field(
            { name: 'cpus', label: 'CPUs', kind: 'number', value: known.cpus, ...atMost(template?.cpus, '') },
            faults,
          ),
          field(
            {
              name: 'memory',
              label: 'Memory in GB',
              kind: 'number',
              value: known.memory,
              ...atMost(template?.memoryGb, ' GB'),
            },
            faults,
          ),
        ],
      },
    ],
  })
}

function atMost(range: { max: number } | undefined, unit: string): { hint?: string } {
  return range === undefined ? {} : { hint: `at most ${range.max}${unit}` }
}

/** Asks for the reason of a denial. */
export function denyForm(id: string, requester: string, faults: readonly FieldFault[]): Card {
  return card({
    summary: faults[0]?.message ?? `Why is ${id} denied? ${requester} will read it.`,
    title: `Deny ${id}`,
    tone: faults.length > 0 ? 'warn' : 'neutral',
    parts: [
      {
        kind: 'form',
        action: 'deny-request',
        value: id,
        submit: 'Deny',
        fields: [field({ name: 'reason', label: 'Reason', required: true }, faults)],
      },
    ],
  })
}
