import type { Bars } from '../../src/charts/bars.ts'
import type { Button, Card, Field, Part } from '../card.ts'

/** Cuts a text to a length, and shows that it was cut. */
export function clip(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1).trimEnd()}…`
}

/** A card within the limits of its schema. Parts that came out empty are left out. */
export function card(spec: {
  summary: string
  title: string
  tone: Card['tone']
  parts?: readonly (Part | undefined)[]
  about?: string
}): Card {
  const { summary, title, tone, parts = [], about } = spec
  return {
    summary: clip(summary, 300),
    title: clip(title, 100),
    tone,
    parts: parts.filter((part) => part !== undefined).slice(0, 20),
    ...(about === undefined ? {} : { about }),
  }
}

export function words(text: string | null | undefined): Part | undefined {
  return text === null || text === undefined || text === ''
    ? undefined
    : { kind: 'text', text: clip(text, 2000) }
}

/** Names with their values; those without a value are left out. */
export function facts(...rows: readonly (readonly [string, string | null | undefined])[]): Part | undefined {
  const known = rows.flatMap(([name, value]) =>
    value === null || value === undefined || value === ''
      ? []
      : [{ name: clip(name, 40), value: clip(value, 2000) }],
  )
  return known.length === 0 ? undefined : { kind: 'facts', rows: known.slice(0, 20) }
}

export function table(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): Part | undefined {
  if (rows.length === 0) return undefined
  return {
    kind: 'table',
    caption: clip(caption, 100),
    columns: columns.map((name) => clip(name, 40)),
    rows: rows.slice(0, 100).map((row) => row.map((cell) => clip(cell, 200))),
  }
}

/** A chart within the limits of a card. */
export function chart(bars: Bars): Part {
  const { alt, unit, series } = bars
  return {
    kind: 'chart',
    alt: clip(alt, 2000),
    unit: clip(unit, 10),
    series: series.map((name) => clip(name, 63)),
    bars: bars.bars.slice(-48),
  }
}

export function link(label: string, url: string): Part {
  return { kind: 'link', label: clip(label, 75), url }
}

export function code(text: string): Part {
  return { kind: 'code', text: clip(text, 2000) }
}

export type ButtonSpec = Omit<Button, 'style'> & { style?: Button['style'] }

export function button(spec: ButtonSpec): Button {
  const { label, action, value, spoken, style = 'plain', confirm, ask } = spec
  return {
    label: clip(label, 40),
    action,
    value,
    style,
    spoken: clip(spoken, 75),
    ...(confirm === undefined
      ? {}
      : {
          confirm: {
            title: clip(confirm.title, 100),
            text: clip(confirm.text, 300),
            yes: clip(confirm.yes, 30),
          },
        }),
    ...(ask === undefined ? {} : { ask: { ...ask, label: clip(ask.label, 100) } }),
  }
}

export function buttons(...list: readonly (Button | undefined)[]): Part | undefined {
  const known = list.filter((one) => one !== undefined)
  return known.length === 0 ? undefined : { kind: 'buttons', buttons: known.slice(0, 20) }
}

/** The longest value that a button carries. */
const longestValue = 200

/** A button that says a line for the person; none when the line is too long for one. */
export function lineButton(
  label: string,
  line: string,
  extras: { spoken?: string; style?: Button['style'] } = {},
): Button | undefined {
  if (line.length > longestValue) return undefined
  const { spoken = label, style = 'plain' } = extras
  return button({ label, action: 'run', value: line, spoken, style })
}

export type FieldSpec = Pick<Field, 'name' | 'label'> & Partial<Field>

/** A form's field, with an error beside it when there is one about it. */
export function field(spec: FieldSpec, errors: readonly FieldFault[] = []): Field {
  const { name, label, kind = 'text', value = '', choices = [], hint, required = false } = spec
  const fault = errors.find(({ path }) => path === name)?.message ?? spec.error
  return {
    name,
    label: clip(label, 40),
    kind,
    value: clip(value, 300),
    choices: choices.map((choice) => ({ value: choice.value, label: clip(choice.label, 75) })),
    ...(hint === undefined ? {} : { hint: clip(hint, 150) }),
    required,
    ...(fault === undefined ? {} : { error: clip(fault, 300) }),
  }
}

/** What is wrong with a field of a form. */
export interface FieldFault {
  path: string
  message: string
}

/** How a term is written, beside a field for one. */
export const termHint = 'such as 30d, 2 weeks, 1mo, until 2026-12-31'
