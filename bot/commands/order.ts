import { Refusal, type RefusalCode } from '../../src/base/errors.ts'
import { hasRole } from '../../src/identity/person.ts'
import { groupsFor } from '../../src/operations/groups.ts'
import { listTemplates } from '../../src/operations/list-templates.ts'
import { makeQuote } from '../../src/operations/make-quote.ts'
import { requestMachine } from '../../src/operations/request-machine.ts'
import type { QuoteView } from '../../src/operations/shapes/quote.ts'
import { listBudgets } from '../../src/operations/show-budget.ts'
import type { Card } from '../card.ts'
import { orderForm } from '../cards/order-form.ts'
import type { FieldFault } from '../cards/parts.ts'
import { quoteCard } from '../cards/quote.ts'
import { requestCard } from '../cards/request.ts'
import { factsOf } from '../facts.ts'
import { formatCommand, formatTerm, type Wanted } from '../grammar.ts'
import type { Talk } from './talk.ts'
import { orderTerm, termOfText } from './terms.ts'

type Kind = 'request' | 'quote'
/** What a form is for: a new order, or the change of one that waits. */
type For = Kind | { edits: string }
export type Fields = Readonly<Record<string, string>>

/** Asks for servers; what is missing is asked for in a form that knows the rest. */
export async function request(talk: Talk, wanted: Wanted): Promise<Card[]> {
  return withForm(talk, 'request', fieldsOf(wanted), () => requested(talk, wanted))
}

/** Prices servers without asking for them. */
export async function quote(talk: Talk, wanted: Wanted): Promise<Card[]> {
  return withForm(talk, 'quote', fieldsOf(wanted), () => quoted(talk, wanted))
}

/** A form that was sent: the same as the line it stands for. A fault is shown beside what was typed. */
export async function submitOrder(talk: Talk, kind: Kind, host: string, fields: Fields): Promise<Card[]> {
  const known = host === '' ? fields : { host, ...fields }
  const work = kind === 'request' ? requested : quoted
  return withForm(talk, kind, known, () => work(talk, wantedIn(known, zoned(talk))))
}

/** A form while it is being filled in: with its price as soon as that can be told, and with nothing done. */
export async function previewOrder(talk: Talk, kind: Kind, host: string, fields: Fields): Promise<Card[]> {
  const filled = Object.fromEntries(Object.entries(fields).filter(([, value]) => value.trim() !== ''))
  return [await formFor(talk, kind, host === '' ? filled : { host, ...filled }, [])]
}

/** The answer to a whole order; nothing when pieces are missing. */
async function requested(talk: Talk, wanted: Wanted): Promise<Card | undefined> {
  const { template, term, budget, purpose } = wanted
  if (template === undefined || term === undefined || budget === undefined || purpose === undefined)
    return undefined
  const { administrators = [], description = '', name, host, diskGb, boot } = wanted
  const view = await talk.perform(requestMachine, {
    ...sizeOf(wanted, template),
    ...orderTerm(term, zoned(talk)),
    ...(name === undefined ? {} : { name }),
    ...(host === undefined ? {} : { host }),
    ...named('group', wanted.group),
    ...named('diskGb', diskGb),
    ...named('boot', boot),
    ...{ purpose, description, administrators, budget },
  })
  return requestCard(await factsOf(talk, view), talk.drawing)
}

async function quoted(talk: Talk, wanted: Wanted): Promise<Card | undefined> {
  const { template, term, count = 1 } = wanted
  if (template === undefined || term === undefined) return undefined
  const price = await priceOf(talk, { ...wanted, template }, orderTerm(term, zoned(talk)))
  const rule = talk.site.templates.find(({ name }) => name === template)
  const { cpus = rule?.cpus.default, memoryGb = rule?.memoryGb.default } = wanted
  const size = cpus === undefined || memoryGb === undefined ? {} : { cpus, memoryGb }
  const ask = formatCommand({ ...wanted, verb: 'request' })
  return quoteCard(price, { template, count, ...size }, ask, talk.drawing)
}

/** What a form's fields say. Fields are read here and nowhere else. @throws Refusal `invalid_input`, `bad_term`. */
export function wantedIn(fields: Fields, moment: { now: string; zone: string }): Wanted {
  const text = (name: string): string | undefined => fields[name]?.trim() || undefined
  const term = text('term')
  return {
    ...named('template', text('template')),
    ...named('budget', text('budget')),
    ...named('purpose', text('purpose')),
    ...named('name', text('name')?.toLowerCase()),
    ...named('description', text('description')),
    ...named('host', text('host')),
    ...named('group', text('group')),
    ...named('diskGb', numberOf('diskGb', text('diskGb'))),
    ...named('boot', text('boot')?.toLowerCase()),
    ...named('administrators', namesIn(text('administrators'))),
    ...named('cpus', numberOf('cpus', text('cpus'))),
    ...named('memoryGb', numberOf('memory', text('memory'))),
    ...named('count', numberOf('count', text('count'))),
    ...named('term', term === undefined ? undefined : termOfText(term, moment)),
  }
}

function named<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  const none: Partial<Record<K, V>> = {}
  return value === undefined ? none : { ...none, [key]: value }
}

function zoned({ now, drawing }: Talk): { now: string; zone: string } {
  return { now, zone: drawing.zone }
}

function namesIn(text: string | undefined): string[] | undefined {
  const names = (text ?? '').split(/[\s,]+/).map((name) => name.replace(/^@/, '').toLowerCase())
  const known = names.filter((name) => name !== '')
  return known.length === 0 ? undefined : known
}

function numberOf(path: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new Refusal('invalid_input', `"${text}" is not a whole number.`, {
    errors: [{ path, message: 'a whole number' }],
  })
}

function sizeOf({ cpus, memoryGb, count }: Wanted, template: string) {
  return {
    template,
    ...(cpus === undefined ? {} : { cpus }),
    ...(memoryGb === undefined ? {} : { memoryGb }),
    ...(count === undefined ? {} : { count }),
  }
}

async function priceOf(
  talk: Talk,
  wanted: Wanted & { template: string },
  term: { days: number } | { until: string },
): Promise<QuoteView> {
  return talk.perform(makeQuote, {
    ...sizeOf(wanted, wanted.template),
    ...named('host', wanted.host),
    ...named('group', wanted.group),
    ...term,
  })
}

/** Where in a form a refusal belongs. What belongs nowhere there is answered as any other. */
const fieldOfCode: Partial<Record<RefusalCode, string>> = {
  unknown_template: 'template',
  bad_size: 'cpus',
  bad_term: 'term',
  unknown_budget: 'budget',
  not_a_member: 'budget',
  budget_exhausted: 'budget',
  no_approver: 'budget',
  bad_name: 'name',
  name_taken: 'name',
}
const fieldOfPath: Readonly<Record<string, string>> = { memoryGb: 'memory', days: 'term', until: 'term' }

/** Does what is asked for, or shows its form: for what is missing, or with what was wrong, and where. */
async function withForm(
  talk: Talk,
  kind: Kind,
  fields: Fields,
  work: () => Promise<Card | undefined>,
): Promise<Card[]> {
  try {
    return [(await work()) ?? (await formFor(talk, kind, fields, []))]
  } catch (error) {
    const faults = error instanceof Refusal ? faultsOf(error) : []
    if (faults.length === 0) throw error
    return [await formFor(talk, kind, fields, faults)]
  }
}

export function faultsOf({ code, message, extras }: Refusal): FieldFault[] {
  const { errors = [] } = extras
  if (errors.length > 0) {
    return errors.map(({ path, message: says }) => {
      const top = path.split('.')[0] ?? ''
      return { path: fieldOfPath[top] ?? top, message: says }
    })
  }
  const path = fieldOfCode[code]
  return path === undefined ? [] : [{ path, message }]
}

function fieldsOf(wanted: Wanted): Fields {
  const { template, count, name, cpus, memoryGb, term, budget, host, administrators, description, purpose } =
    wanted
  const { diskGb, boot, group } = wanted
  const pairs: [string, string | undefined][] = [
    ['template', template],
    ['count', count?.toString()],
    ['name', name],
    ['cpus', cpus?.toString()],
    ['memory', memoryGb?.toString()],
    ['term', term === undefined ? undefined : formatTerm(term).replace(/^for /, '')],
    ['budget', budget],
    ['host', host],
    ['group', group],
    ['diskGb', diskGb?.toString()],
    ['boot', boot],
    ['administrators', administrators?.join(', ')],
    ['description', description],
    ['purpose', purpose],
  ]
  return Object.fromEntries(pairs.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
}

export async function formFor(
  talk: Talk,
  kind: For,
  known: Fields,
  faults: readonly FieldFault[],
): Promise<Card> {
  const [templates, budgets] = await Promise.all([
    talk.perform(listTemplates, {}),
    talk.perform(listBudgets, {}),
  ])
  const price = faults.length > 0 ? undefined : await earlyPrice(talk, known)
  const open = budgets.items.filter((budget) => budget.open)
  const groups = classesFor(talk)
  const form = { kind, known, templates: templates.items, budgets: open, groups }
  if (price instanceof Refusal) {
    return orderForm({ ...form, faults: faultsOf(price) }, hasRole(talk.caller, 'operator'))
  }
  return orderForm(
    { ...form, faults, ...(price === undefined ? {} : { quote: price }) },
    hasRole(talk.caller, 'operator'),
  )
}

/** The classes of hosts that somebody may choose from; none where there is no choice. */
function classesFor({ caller, site }: Talk): { name: string; title: string }[] {
  const names = groupsFor(caller, site)
  if (names.length < 2) return []
  return names.map((name) => ({
    name,
    title: site.groups.find((group) => group.name === name)?.title ?? name,
  }))
}

/** The price as soon as it can be told, though other pieces are missing; or why there is none. */
async function earlyPrice(talk: Talk, known: Fields): Promise<QuoteView | Refusal | undefined> {
  const { template, term, cpus, memory, count, host, group } = known
  if (template === undefined || term === undefined) return undefined
  try {
    const size = {
      ...named('cpus', numberOf('cpus', cpus)),
      ...named('memoryGb', numberOf('memory', memory)),
      ...named('count', numberOf('count', count)),
    }
    const wanted = { ...size, template, ...named('host', host), ...named('group', group) }
    return await priceOf(talk, wanted, orderTerm(termOfText(term, zoned(talk)), zoned(talk)))
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}
