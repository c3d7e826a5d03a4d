import { money } from '../words.ts'
import { localTime } from '../times.ts'
import { Field } from '../parts.tsx'
import type { MachineProps } from './machine.tsx'

function atOf({ machine }: Pick<MachineProps, 'machine'>): string {
  return `/machines/${encodeURIComponent(machine.name)}`
}

/** More time, each offer with its price. */
export function ExtendForm(props: MachineProps) {
  const { machine, site, moment, refusal } = props
  const { offers } = props.prices
  const free = site.policies.machines.extensionsWithoutApproval - machine.extensions
  return (
    <section aria-labelledby="extend">
      <h2 id="extend">Extend</h2>
      <form method="post" action={`${atOf(props)}/extend`}>
        {offers.length === 0 ? (
          <p>It ends as late as this site allows.</p>
        ) : (
          <fieldset class="offers">
            <legend>How much longer</legend>
            {offers.map(({ days, until, price }, index) => (
              <label>
                <input
                  type="radio"
                  name="days"
                  value={days}
                  checked={index === Math.min(1, offers.length - 1)}
                />
                <span>{`${days} days`}</span>
                <small>{`until ${localTime(until, moment.zone)}`}</small>
                <strong class="money">{money(price.total, price.currency)}</strong>
              </label>
            ))}
          </fieldset>
        )}
        <Field name="until" label="Or until a day" refusal={refusal} help="Counts instead of the days above.">
          {(attributes) => <input type="date" {...attributes} />}
        </Field>
        <p class="help">
          {machine.budget === null || free > 0
            ? 'This takes effect at once.'
            : 'It has been extended as often as is allowed without approval: this one becomes a request.'}
        </p>
        <button type="submit">Extend</button>
      </form>
    </section>
  )
}

/** Another size, with the price of a day before and after. */
export function ResizeForm(props: MachineProps) {
  const { machine, site, refusal, wish } = props
  const template = site.templates.find(({ name }) => name === machine.template)
  const max = { cpus: template?.cpus.max ?? 64, memoryGb: template?.memoryGb.max ?? 256 }
  const size = wish ?? machine
  return (
    <section aria-labelledby="resize">
      <h2 id="resize">Resize</h2>
      <form method="post" action={`${atOf(props)}/resize`} id="resize-form">
        <div class="pair">
          <Field name="cpus" label="CPUs" refusal={refusal} help={`At most ${max.cpus}.`}>
            {(attributes) => <input type="number" min="1" max={max.cpus} value={size.cpus} {...attributes} />}
          </Field>
          <Field name="memoryGb" label="Memory in GB" refusal={refusal} help={`At most ${max.memoryGb}.`}>
            {(attributes) => (
              <input type="number" min="1" max={max.memoryGb} value={size.memoryGb} {...attributes} />
            )}
          </Field>
        </div>
        <div
          id="resize-price"
          aria-live="polite"
          hx-post={`/fragments/machines/${encodeURIComponent(machine.name)}/price`}
          hx-trigger="input from:#resize-form delay:250ms"
          hx-include="#resize-form"
          hx-swap="innerHTML"
        >
          <ResizePrice {...props} />
        </div>
        <div class="actions">
          <button type="submit">Resize</button>
          <button
            type="submit"
            class="secondary unscripted"
            formmethod="get"
            formaction={`${atOf(props)}#resize`}
          >
            Show price
          </button>
        </div>
      </form>
    </section>
  )
}

export function ResizePrice({ machine, prices }: Pick<MachineProps, 'machine' | 'prices'>) {
  const { currency, perDay: then, perDayNow: now, extra } = prices.resize
  const perDay = (price: string): string => `${money(price, currency)} a day`
  if (!prices.isOther) {
    return <p>{`At its present size: ${perDay(now)}, once its free days are over.`}</p>
  }
  const until = machine.expiresAt === null ? 'for the longest term' : 'until its end'
  return (
    <p>
      {`${perDay(then)} instead of ${perDay(now)}, once its free days are over. `}
      <strong>
        {!extra.startsWith('-')
          ? `${money(extra, currency)} more ${until}.`
          : `${money(extra.slice(1), currency)} less ${until}.`}
      </strong>
    </p>
  )
}

export function ClaimForm(props: MachineProps) {
  const { machine, budgets, operator, refusal } = props
  return (
    <section aria-labelledby="claim" class="notice warn">
      <h2 id="claim">Claim it</h2>
      <p>
        {machine.owner === null ? 'Nobody owns this machine. ' : 'Nobody pays for this machine. '}
        Say from which budget it is paid from today on.
      </p>
      <form method="post" action={`${atOf(props)}/claim`} class="row">
        {operator ? (
          <Field name="owner" label="Owner" refusal={refusal} help="A user name; left empty, you.">
            {(attributes) => <input value={machine.owner ?? ''} {...attributes} />}
          </Field>
        ) : null}
        <Field name="budget" label="Budget" refusal={refusal}>
          {(attributes) => (
            <select required {...attributes}>
              {budgets.map(({ code, title }) => (
                <option value={code}>{`${code} ${title}`}</option>
              ))}
            </select>
          )}
        </Field>
        <button type="submit">Claim</button>
      </form>
    </section>
  )
}
