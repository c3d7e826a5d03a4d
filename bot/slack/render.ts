import type { types } from '@slack/bolt'
import { barsAsText } from '../../src/charts/bars.ts'
import type { Button, Card, Part } from '../card.ts'
import { clip } from '../cards/parts.ts'
import { actionId, blockId, type FormState, formValue, pressValue } from './ids.ts'
import { escaped, inlines, preformatted, richText, section } from './rich.ts'
import { longest } from './schema.ts'

/** What a card is rendered with. */
export interface Frame {
  /** The zone that the card's times are written in. Each reader sees them in their own. */
  zone: string
  /**
   * Tells this rendering from earlier ones of the same message. What is pressed carries it, so that two clicks on one
   * rendering are one press and a click on the next is another.
   */
  version: string
  /** What finds a message again that may have been sent already. Slack keeps it as the id of the first block. */
  key?: string
  /** Whether lists are tables. Without, they are letters in columns: for surfaces and servers that have no tables. */
  tables: boolean
  /** Whether charts are sent as pictures beside the card. Without, they are drawn with letters. */
  pictures: boolean
}

export interface Message {
  /** What a notification shows and a reader without blocks reads: one sentence. */
  text: string
  blocks: types.KnownBlock[]
}

export const toneEmoji = {
  neutral: undefined,
  good: 'white_check_mark',
  wait: 'hourglass_flowing_sand',
  warn: 'warning',
  bad: 'x',
} as const

/** A card as a message. */
export function renderCard(card: Card, frame: Frame): Message {
  const blocks = [...headBlocks(card, frame), ...partBlocks(card, frame)]
  return {
    text: escaped(card.summary),
    blocks: blocks.length <= longest.messageBlocks ? blocks : [...blocks.slice(0, 49), leftOut],
  }
}

const leftOut = richText(section({ type: 'text', text: 'The rest of this is too long for Slack.' }))

/** Title and summary, which every card begins with. */
export function headBlocks({ title, summary, tone }: Card, { zone, key }: Frame): types.KnownBlock[] {
  return [
    {
      type: 'header',
      text: { type: 'plain_text', text: title, emoji: false },
      ...(key === undefined ? {} : { block_id: key }),
    },
    summaryBlock(summary, tone, zone),
  ]
}

export function summaryBlock(summary: string, tone: Card['tone'], zone: string): types.RichTextBlock {
  const name = toneEmoji[tone]
  const sign = name === undefined ? [] : [{ type: 'emoji' as const, name }, textOf(' ')]
  return richText(section(...sign, ...inlines(summary, zone)))
}

function textOf(text: string): types.RichTextText {
  return { type: 'text', text }
}

/** The parts of a card, without its title and summary. */
export function partBlocks(card: Card, frame: Frame): types.KnownBlock[] {
  let tables = frame.tables ? 1 : 0
  return card.parts.flatMap((part, index) => {
    // Slack takes one table in a message; further ones are letters.
    const asTable = part.kind === 'table' && tables > 0 && fitsTable(part)
    if (asTable) tables--
    return partBlock(part, card, { ...frame, tables: asTable }, index)
  })
}

function partBlock(part: Part, card: Card, frame: Frame, index: number): types.KnownBlock[] {
  const { zone } = frame
  switch (part.kind) {
    case 'text':
      return [richText(section(...inlines(part.text, zone)))]
    case 'facts':
      return part.rows.length === 0 ? [] : [richText(section(...factInlines(part.rows, zone)))]
    case 'table':
      return [
        richText(section({ ...textOf(part.caption), style: { bold: true } })),
        ...(frame.tables ? [tableBlock(part, zone)] : letterTable(part)),
      ]
    case 'progress':
      return [progressBlock(part)]
    case 'code':
      return [preformatted(part.text)]
    case 'chart':
      return [
        richText(section(textOf(part.alt))),
        ...(frame.pictures || part.bars.length === 0 ? [] : lettersOf(barsAsText(part))),
      ]
    case 'link':
      return [linkBlock(part)]
    case 'buttons':
      return buttonBlocks(part.buttons, card, frame, index)
    case 'form':
      return formBlocks(part, card, frame, index)
  }
}

function factInlines(rows: readonly { name: string; value: string }[], zone: string) {
  return rows
    .flatMap(({ name, value }, index) => [
      textOf(index === 0 ? '' : '\n'),
      { ...textOf(`${name}: `), style: { bold: true } },
      ...inlines(value, zone),
    ])
    .filter((element) => element.type !== 'text' || element.text !== '')
}

const stageSigns = {
  waiting: 'white_circle',
  running: 'hourglass_flowing_sand',
  done: 'white_check_mark',
  failed: 'x',
} as const

function progressBlock({ label, stages }: Extract<Part, { kind: 'progress' }>): types.RichTextBlock {
  const rows = stages.map(({ name, state }) =>
    section({ type: 'emoji', name: stageSigns[state] }, textOf(` ${name}: ${state}`)),
  )
  const head = section({ ...textOf(label), style: { bold: true } })
  return rows.length === 0
    ? richText(head)
    : richText(head, { type: 'rich_text_list', style: 'bullet', elements: rows })
}

/** Only addresses of the web are links: another scheme could run a program. */
function linkBlock({ label, url }: Extract<Part, { kind: 'link' }>): types.RichTextBlock {
  return /^https?:\/\//i.test(url) && url.length <= longest.url
    ? richText(section({ type: 'link', url, text: label }))
    : richText(section(textOf(`${label}: ${clip(url, longest.url)}`)))
}

type Table = Extract<Part, { kind: 'table' }>

function fitsTable({ columns, rows }: Table): boolean {
  const letters = [columns, ...rows].flat().reduce((sum, cell) => sum + cell.length + 1, 0)
  return columns.length > 0 && rows.length < longest.tableRows && letters <= longest.tableLetters
}

function tableBlock({ columns, rows }: Table, zone: string): types.TableBlock {
  const cell = (text: string): types.RawTextElement | types.RichTextBlock => {
    const elements = inlines(text, zone)
    const dated = elements.some(({ type }) => type === 'date')
    // A cell without text is refused.
    return dated ? richText(section(...elements)) : { type: 'raw_text', text: text === '' ? '–' : text }
  }
  const width = columns.length
  const even = (row: readonly string[]) => Array.from({ length: width }, (_, at) => cell(row[at] ?? ''))
  return {
    type: 'table',
    column_settings: columns.map(() => ({ is_wrapped: true })),
    rows: [columns, ...rows].map(even),
  }
}

/** A table in letters of one width, in pieces that a block takes. */
function letterTable({ columns, rows }: Table): types.RichTextBlock[] {
  const shown = [columns, ...rows].map((row) => row.map((cell) => clip(cell, 40)))
  const widths = columns.map((_, at) => Math.max(...shown.map((row) => row[at]?.length ?? 0)))
  const lines = shown.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return lettersOf(lines.join('\n'))
}

function lettersOf(text: string): types.RichTextBlock[] {
  const pieces: string[] = []
  for (const line of text.split('\n')) {
    const last = pieces.at(-1)
    if (last === undefined || last.length + line.length + 1 > longest.text) pieces.push(line)
    else pieces[pieces.length - 1] = `${last}\n${line}`
  }
  return pieces.filter((piece) => piece !== '').map((piece) => preformatted(clip(piece, longest.text)))
}

/** Buttons by five: of more, Slack shows the first five and hides the others. */
function buttonBlocks(
  buttons: readonly Button[],
  { about }: Card,
  { version }: Frame,
  index: number,
): types.ActionsBlock[] {
  const blocks: types.ActionsBlock[] = []
  for (let from = 0; from < buttons.length; from += 5) {
    blocks.push({
      type: 'actions',
      block_id: blockId({ place: `${index}-${from / 5}`, version, about }),
      elements: buttons.slice(from, from + 5).map((button, at) => buttonElement(button, at)),
    })
  }
  return blocks
}

function buttonElement(button: Button, at: number): types.Button {
  const { label, action, style, spoken, ask, confirm } = button
  return {
    type: 'button',
    text: { type: 'plain_text', text: label, emoji: false },
    action_id: actionId(ask === undefined ? 'press' : 'ask', action, at),
    accessibility_label: clip(spoken === '' ? label : spoken, longest.label),
    ...pressValue(button),
    ...(style === 'plain' ? {} : { style }),
    // What asks for a sentence first is asked in a form, which is question enough.
    ...(confirm === undefined || ask !== undefined ? {} : { confirm: confirmOf(button, confirm) }),
  }
}

function confirmOf({ spoken, label, style }: Button, confirm: NonNullable<Button['confirm']>) {
  const text = (said: string, instead: string) => ({
    type: 'plain_text' as const,
    text: said === '' ? instead : said,
    emoji: false,
  })
  return {
    title: text(confirm.title, label),
    text: text(confirm.text, spoken === '' ? label : spoken),
    confirm: text(confirm.yes, clip(label, 30)),
    deny: text('Cancel', 'Cancel'),
    ...(style === 'danger' ? { style: 'danger' as const } : {}),
  }
}

/** Forms open in a window of their own. Where one stands in a message, a button opens it with what is known already. */
function formBlocks(
  { action, value, submit, fields }: Extract<Part, { kind: 'form' }>,
  { about, title }: Card,
  { version, zone }: Frame,
  index: number,
): types.KnownBlock[] {
  const known = fields.filter((field) => field.value !== '')
  const state: FormState = {
    value,
    fields: Object.fromEntries(known.map((field) => [field.name, field.value])),
  }
  const rows = known.map(({ label, value: said }) => ({ name: label, value: said }))
  return [
    ...(rows.length === 0 ? [] : [richText(section(...factInlines(rows, zone)))]),
    {
      type: 'actions',
      block_id: blockId({ place: `${index}-0`, version, about }),
      elements: [
        {
          type: 'button',
          text: { type: 'plain_text', text: 'Open the form', emoji: false },
          action_id: actionId('form', action, 0),
          accessibility_label: clip(`Open the form: ${title}, ${submit}`, longest.label),
          style: 'primary',
          value: formValue(state),
        },
      ],
    },
  ]
}
