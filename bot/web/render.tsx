import { BarChart } from '../../src/charts/bar-chart.tsx'
import type { Button, Card, Field, Part } from '../card.ts'

/** What a card stands in: the line that its buttons and forms belong to. */
export interface Place {
  message: string
  version: string
}

/** A card as HTML. Everything people typed is text; preact escapes it. */
export function CardView({ card, place }: { card: Card; place: Place }) {
  const { title, summary, tone, parts } = card
  return (
    <div class={`card tone-${tone}`}>
      <h2>{title}</h2>
      <p class="card-summary">
        {tone === 'neutral' ? null : <span class="chat-sr">{`${toneWords[tone]}: `}</span>}
        {summary}
      </p>
      {parts.map((part, index) => (
        <PartView part={part} place={place} id={`${place.message}-${index}`} />
      ))}
    </div>
  )
}

/** Colour is never the only sign. */
const toneWords = { good: 'Done', wait: 'Under way', warn: 'Attention', bad: 'Failed' } as const

function PartView({ part, place, id }: { part: Part; place: Place; id: string }) {
  switch (part.kind) {
    case 'text':
      return <p class="card-text">{part.text}</p>
    case 'facts':
      return (
        <dl class="card-facts">
          {part.rows.map(({ name, value }) => (
            <div>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )
    case 'table':
      return <TableView part={part} id={id} />
    case 'progress':
      return (
        <div class="card-progress">
          <p id={id}>{part.label}</p>
          <ol aria-labelledby={id}>
            {part.stages.map(({ name, state }) => (
              <li class={`stage-${state}`}>
                <span>{name}</span> <small>{state}</small>
              </li>
            ))}
          </ol>
        </div>
      )
    case 'code':
      return (
        <pre class="card-code" tabIndex={0} id={id}>
          <code>{part.text}</code>
        </pre>
      )
    case 'chart':
      return <BarChart chart={part} id={id} />
    case 'link':
      return <LinkView label={part.label} url={part.url} id={id} />
    case 'buttons':
      return (
        <div class="card-buttons">
          {part.buttons.map((button, index) => (
            <ButtonView button={button} place={place} id={`${id}-${index}`} />
          ))}
        </div>
      )
    case 'form':
      return <FormView part={part} place={place} id={id} />
  }
}

function TableView({ part, id }: { part: Extract<Part, { kind: 'table' }>; id: string }) {
  const { caption, columns, rows } = part
  return (
    <div class="card-table" role="region" aria-labelledby={id} tabIndex={0}>
      <table>
        <caption id={id}>{caption}</caption>
        <thead>
          <tr>
            {columns.map((name) => (
              <th scope="col">{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>{row.map((cell, at) => (at === 0 ? <th scope="row">{cell}</th> : <td>{cell}</td>))}</tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Only addresses of the web are links: another scheme could run a script. */
function LinkView({ label, url, id }: { label: string; url: string; id: string }) {
  if (!/^https?:\/\//i.test(url)) return <p class="card-text">{`${label}: ${url}`}</p>
  return (
    <p class="card-link">
      <a href={url} id={id} rel="noopener noreferrer">
        {label}
      </a>
    </p>
  )
}

const styles = { plain: 'secondary outline', primary: '', danger: 'danger outline' } as const

/** A button that asks first goes to a page that asks; the script asks in a dialog instead and then sends it itself. */
function ButtonView({ button, place, id }: { button: Button; place: Place; id: string }) {
  const { label, action, value, spoken, style, confirm, ask } = button
  const asks = confirm !== undefined || ask !== undefined
  return (
    <form
      method={asks ? 'get' : 'post'}
      action={asks ? '/chat/ask' : '/chat/press'}
      data-send="/chat/press"
      {...(asks ? { 'data-asks': askData(button) } : {})}
    >
      <Hidden place={place} action={action} value={value} />
      <button type="submit" id={id} class={styles[style]} aria-label={spoken}>
        {label}
      </button>
    </form>
  )
}

function askData({ label, spoken, confirm, ask, style }: Button): string {
  return JSON.stringify({
    title: confirm?.title ?? spoken,
    text: confirm?.text ?? '',
    yes: confirm?.yes ?? label,
    danger: style === 'danger',
    ask: ask ?? null,
  })
}

export function Hidden({ place, action, value }: { place: Place; action: string; value: string }) {
  return (
    <>
      <input type="hidden" name="message" value={place.message} />
      <input type="hidden" name="key" value={place.version} />
      <input type="hidden" name="action" value={action} />
      <input type="hidden" name="value" value={value} />
    </>
  )
}

function FormView({ part, place, id }: { part: Extract<Part, { kind: 'form' }>; place: Place; id: string }) {
  return (
    <form class="card-form" method="post" action="/chat/submit" data-send="/chat/submit">
      <Hidden place={place} action={part.action} value={part.value} />
      <div class="card-fields">
        {part.fields.map((field) => (
          <FieldView field={field} id={`${id}-${field.name}`} />
        ))}
      </div>
      <button type="submit" id={`${id}-submit`}>
        {part.submit}
      </button>
    </form>
  )
}

function FieldView({ field, id }: { field: Field; id: string }) {
  const { label, hint, error, required } = field
  const described = [hint === undefined ? '' : `${id}-hint`, error === undefined ? '' : `${id}-error`]
  const describedBy = described.filter((one) => one !== '').join(' ')
  const aria = {
    ...(describedBy === '' ? {} : { 'aria-describedby': describedBy }),
    ...(error === undefined ? {} : { 'aria-invalid': 'true' as const }),
  }
  return (
    <div class={field.kind === 'number' ? 'card-field narrow' : 'card-field'}>
      <label for={id}>
        {label}
        {required ? <span class="card-required"> (needed)</span> : null}
      </label>
      <FieldInput field={field} id={id} aria={aria} />
      {error === undefined ? null : (
        <small id={`${id}-error`} class="card-error">
          {error}
        </small>
      )}
      {hint === undefined ? null : <small id={`${id}-hint`}>{hint}</small>}
    </div>
  )
}

type Aria = Readonly<{ 'aria-describedby'?: string; 'aria-invalid'?: 'true' }>

function FieldInput({ field, id, aria }: { field: Field; id: string; aria: Aria }) {
  const { kind, value, choices, required } = field
  const name = `field.${field.name}`
  if (kind === 'choice') {
    const known = choices.some((choice) => choice.value === value)
    return (
      <select id={id} name={name} required={required} {...aria}>
        {known ? null : (
          <option value="" selected>
            Choose
          </option>
        )}
        {choices.map((choice) => (
          <option value={choice.value} selected={choice.value === value}>
            {choice.label}
          </option>
        ))}
      </select>
    )
  }
  if (kind === 'number') {
    return <input id={id} name={name} type="number" min="1" value={value} required={required} {...aria} />
  }
  return (
    <input
      id={id}
      name={name}
      type="text"
      value={value}
      required={required}
      maxLength={500}
      autocomplete="off"
      {...aria}
    />
  )
}
