import { counted } from '../../base/text.ts'
import { Field } from '../parts.tsx'
import { money } from '../words.ts'
import type { MachineProps } from './machine.tsx'

/** Another owner, another budget, or both, from today on. */
export function TransferForm({ machine, budgets, prices, refusal }: MachineProps) {
  const { handover } = prices
  if (handover === undefined) return null
  const others = budgets.filter(({ code }) => code !== machine.budget)
  return (
    <section aria-labelledby="transfer">
      <h2 id="transfer">Hand on</h2>
      <form method="post" action={`/machines/${encodeURIComponent(machine.name)}/transfer`}>
        <Field
          name="owner"
          label="To whom"
          refusal={refusal}
          help={`A user name; left empty, it stays with ${machine.owner ?? 'nobody'}.`}
        >
          {(attributes) => <input maxLength={100} autocomplete="off" {...attributes} />}
        </Field>
        <Field name="budget" label="Paid from" refusal={refusal}>
          {(attributes) => (
            <select {...attributes}>
              <option value="">{`${machine.budget ?? 'none'}, as now`}</option>
              {others.map(({ code, title }) => (
                <option value={code}>{`${code} ${title}`}</option>
              ))}
            </select>
          )}
        </Field>
        <Field name="from" label="From" refusal={refusal} help="Left empty, today.">
          {(attributes) => <input type="date" {...attributes} />}
        </Field>
        <Field
          name="reason"
          label="Why"
          refusal={refusal}
          help="Whoever decides about the budget reads this."
        >
          {(attributes) => <input maxLength={200} {...attributes} />}
        </Field>
        <p class="help">
          {`Days before that stay whose they were. Another budget has to agree, and then holds ${money(handover.total, handover.currency)} for the ${counted(handover.days, 'day')} to come.`}
        </p>
        <button type="submit">Hand on</button>
      </form>
    </section>
  )
}
