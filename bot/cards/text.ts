import { barsAsText } from '../../src/charts/bars.ts'
import type { Card, Field, Part } from '../card.ts'

/** A card as plain text, for readers and platforms that show nothing else. */
export function cardAsText({ title, summary, tone, parts }: Card): string {
  return [`${title} (${tone})`, summary, ...parts.map(partAsText)].join('\n\n')
}

function partAsText(part: Part): string {
  switch (part.kind) {
    case 'text':
      return part.text
    case 'facts':
      return part.rows.map(({ name, value }) => `${name}: ${value}`).join('\n')
    case 'table':
      return [part.caption, ...columns([part.columns, ...part.rows])].join('\n')
    case 'progress':
      return [part.label, ...part.stages.map(({ name, state }) => `- ${name}: ${state}`)].join('\n')
    case 'code':
      return part.text
        .split('\n')
        .map((line) => `    ${line}`)
        .join('\n')
    case 'chart':
      return barsAsText(part)
    case 'link':
      return `${part.label}: ${part.url}`
    case 'buttons':
      return part.buttons.map(buttonAsText).join(' ')
    case 'form':
      return [...part.fields.map(fieldAsText), `[${part.submit}]`].join('\n')
  }
}

function buttonAsText({
  label,
  confirm,
  ask,
}: Extract<Part, { kind: 'buttons' }>['buttons'][number]): string {
  const asks = ask === undefined ? '' : ` asks: ${ask.label}`
  const confirms = confirm === undefined ? '' : ` asks: ${confirm.title}`
  return `[${label}${asks}${confirms}]`
}

function fieldAsText({ label, value, required, error, choices, hint }: Field): string {
  const options = choices.length === 0 ? '' : ` of ${choices.map((choice) => choice.value).join(', ')}`
  const says = hint === undefined ? '' : ` (${hint})`
  const wrong = error === undefined ? '' : ` ! ${error}`
  return `${label}${required ? '*' : ''}: ${value === '' ? '____' : value}${options}${says}${wrong}`
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
