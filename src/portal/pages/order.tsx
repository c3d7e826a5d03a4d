import type { Refusal } from '../../base/errors.ts'
import type { QuoteView } from '../../operations/shapes/quote.ts'
import type { BudgetView } from '../../operations/show-budget.ts'
import type { Site } from '../../operations/site.ts'
import { counted, list } from '../../base/text.ts'
import { Field } from '../parts.tsx'
import type { Fields } from '../visit.ts'
import { money } from '../words.ts'
import { Quote } from './quote.tsx'
import { Refused } from './trouble.tsx'

export interface OrderProps {
  site: Site
  user: string
  operator: boolean
  /** The groups of hosts that may be asked for. */
  groups: readonly string[]
  budgets: readonly BudgetView[]
  /** What was typed. */
  form: Fields
  quote: QuoteView | undefined
  /** The request that is changed, where it is not a new one. */
  edits?: string | undefined
  /** Why the order could not be priced, or was not taken. */
  refusal?: Refusal | undefined
}

export function OrderPage(props: OrderProps) {
  const { refusal, edits } = props
  const at = edits === undefined ? '/request' : `/requests/${encodeURIComponent(edits)}/edit`
  return (
    <>
      {edits === undefined ? null : (
        <p class="crumb">
          <a href={`/requests/${encodeURIComponent(edits)}`}>{edits}</a>
        </p>
      )}
      <h1>{edits === undefined ? 'Request a machine' : `Change ${edits}`}</h1>
      <Refused refusal={refusal} />
      <form method="post" action={at} id="order" class="order">
        {edits === undefined ? null : <input type="hidden" name="edits" value={edits} />}
        <div class="order-fields">
          <What {...props} />
          <How {...props} />
          <Why {...props} />
        </div>
        <aside>
          <div
            id="quote"
            class="quote"
            aria-live="polite"
            hx-post="/fragments/quote"
            hx-trigger="input from:#order delay:300ms"
            hx-include="#order"
            hx-swap="innerHTML"
          >
            <Quote {...props} />
          </div>
          {edits === undefined ? null : (
            <p class="help">It is priced anew, and whoever decides is asked again.</p>
          )}
          <button type="submit">{edits === undefined ? 'Send the request' : 'Change the request'}</button>
          <button type="submit" class="secondary unscripted" formmethod="get" formaction={at} formnovalidate>
            Show price
          </button>
        </aside>
      </form>
    </>
  )
}

function What({ site, form, refusal, edits }: OrderProps) {
  const empty = `Empty: as ${edits === undefined ? 'the template says' : 'it was'}.`
  const template = form.get('template') ?? site.templates[0]?.name
  return (
    <fieldset>
      <legend>What</legend>
      <Field name="template" label="Template" refusal={refusal}>
        {(attributes) => (
          <select required {...attributes}>
            {site.templates.map(({ name, title, cpus, memoryGb }) => (
              <option value={name} selected={name === template}>
                {`${title} (${name}): up to ${counted(cpus.max, 'CPU')}, ${memoryGb.max} GB`}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div class="pair">
        <NumberField name="cpus" label="CPUs" refusal={refusal} form={form} help={empty} />
        <NumberField name="memoryGb" label="Memory in GB" refusal={refusal} form={form} help={empty} />
        <NumberField name="count" label="How many" refusal={refusal} form={form} fallback="1" />
      </div>
      <Blank site={site} form={form} refusal={refusal} />
    </fieldset>
  )
}

/** What a machine is filled from whose disk is empty; nothing where no template is one. */
function Blank({ site, form, refusal }: Pick<OrderProps, 'site' | 'form' | 'refusal'>) {
  const empty = site.templates.filter(({ kind }) => kind === 'empty').map(({ name }) => name)
  if (empty.length === 0) return null
  const discs = site.hypervisors.flatMap((rule) => rule.discs)
  return (
    <div class="pair">
      <NumberField
        name="diskGb"
        label="Disk in GB"
        refusal={refusal}
        form={form}
        help={`Of template ${list(empty)} alone. Left out, as large as it says.`}
      />
      <Text
        name="boot"
        label="Boots from"
        refusal={refusal}
        form={form}
        max={63}
        help={`Of template ${list(empty)} alone. Left out, the network${discs.length === 0 ? '' : `; or a disc: ${list(discs)}`}.`}
      />
    </div>
  )
}

function How({ form, refusal, operator, edits, groups, site }: OrderProps) {
  const isNew = edits === undefined
  const until = form.get('until') ?? ''
  return (
    <fieldset>
      <legend>How long, and what it is called</legend>
      <div class="pair">
        <NumberField
          name="days"
          label="For how many days"
          refusal={refusal}
          form={form}
          fallback={isNew ? '30' : ''}
        />
        <Field name="until" label="Or until a day" refusal={refusal} help="Counts instead of the days.">
          {(attributes) => <input type="date" value={until} {...attributes} />}
        </Field>
      </div>
      <Text
        name="name"
        label="Name"
        refusal={refusal}
        form={form}
        max={63}
        help={`Empty: ${isNew ? 'one is made up' : 'as it was'}. Several are numbered.`}
      />
      {groups.length > 1 ? (
        <Field name="group" label="Class" refusal={refusal} help="Prices and terms may differ.">
          {(attributes) => (
            <select {...attributes}>
              {groups.map((group) => (
                <option value={group} selected={group === (form.get('group') ?? groups[0])}>
                  {site.groups.find(({ name }) => name === group)?.title ?? group}
                </option>
              ))}
            </select>
          )}
        </Field>
      ) : null}
      {operator ? (
        <Text
          name="host"
          label="Host"
          refusal={refusal}
          form={form}
          max={63}
          help="For operators. Empty: one is found."
        />
      ) : null}
      <label>
        <input type="checkbox" name="apart" value="true" checked={form.get('apart') === 'true'} />
        Several: no two of them on one host
      </label>
    </fieldset>
  )
}

function Why({ budgets, form, refusal }: OrderProps) {
  const chosen = form.get('budget') ?? budgets[0]?.code
  return (
    <fieldset>
      <legend>Why, and who pays</legend>
      <Text
        name="purpose"
        label="What is it for?"
        refusal={refusal}
        form={form}
        max={500}
        required
        help="Whoever approves it reads this."
      />
      <Field name="budget" label="Budget" refusal={refusal}>
        {(attributes) => (
          <select required {...attributes}>
            {budgets.map(({ code, title, left, currency }) => (
              <option value={code} selected={code === chosen}>
                {`${code} ${title}: ${money(left, currency)} left`}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Text
        name="administrators"
        label="Administrators"
        refusal={refusal}
        form={form}
        max={1000}
        help="Users or groups, with commas between. They may do what you may, so be sure that you are in the group."
      />
    </fieldset>
  )
}

interface InputProps {
  name: string
  label: string
  form: Fields
  refusal?: Refusal | undefined
  help?: string
}

function NumberField({ fallback = '', form, ...field }: InputProps & { fallback?: string }) {
  const value = form.get(field.name) ?? fallback
  return (
    <Field {...field}>
      {(attributes) => <input type="number" min="1" inputMode="numeric" value={value} {...attributes} />}
    </Field>
  )
}

function Text({ max, required = false, form, ...field }: InputProps & { max: number; required?: boolean }) {
  const value = form.get(field.name) ?? ''
  return (
    <Field {...field}>
      {(attributes) => <input value={value} maxLength={max} required={required} {...attributes} />}
    </Field>
  )
}
