import type { Button, Card, Part } from '../card.ts'
import { barsAsText } from '../../src/charts/bars.ts'
import { cell, codeBlock, inline, linkTo, plain } from './escape.ts'

export type FormPart = Extract<Part, { kind: 'form' }>
export type ChartPart = Extract<Part, { kind: 'chart' }>

/** A card cut into what Mattermost can show, in its order: Markdown, names with values, and what can be pressed. */
export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'facts'; rows: readonly { name: string; value: string }[] }
  | { kind: 'buttons'; buttons: readonly Button[] }
  | { kind: 'menu'; label: string; buttons: readonly Button[] }
  | { kind: 'form'; form: FormPart }

/** More buttons than this in a row become a menu, but for those that stand out. */
const mostInARow = 6

/** @param pictures whether charts are uploaded beside the card; else they are drawn in letters */
export function piecesOf({ parts }: Card, { pictures }: { pictures: boolean }): Piece[] {
  return parts.flatMap((part): Piece[] => {
    switch (part.kind) {
      case 'text':
        return [{ kind: 'text', text: plain(part.text) }]
      case 'facts':
        return [{ kind: 'facts', rows: part.rows }]
      case 'table':
        return [{ kind: 'text', text: tableOf(part) }]
      case 'progress':
        return [{ kind: 'text', text: progressOf(part) }]
      case 'code':
        return [{ kind: 'text', text: codeBlock(part.text) }]
      case 'chart':
        return [{ kind: 'text', text: pictures ? plain(part.alt) : codeBlock(barsAsText(part)) }]
      case 'link':
        return [{ kind: 'text', text: linkTo(part.label, part.url) }]
      case 'buttons':
        return rowOf(part.buttons)
      case 'form':
        return [{ kind: 'form', form: part }]
    }
  })
}

/** The charts of a card, to be uploaded as pictures. */
export function chartsOf({ parts }: Card): ChartPart[] {
  return parts.filter((part) => part.kind === 'chart')
}

function tableOf({ caption, columns, rows }: Extract<Part, { kind: 'table' }>): string {
  const lines = [columns.map(cell), columns.map(() => '---'), ...rows.map((row) => row.map(cell))]
  return [`**${inline(caption)}**`, '', ...lines.map((row) => `| ${row.join(' | ')} |`)].join('\n')
}

function progressOf({ label, stages }: Extract<Part, { kind: 'progress' }>): string {
  const lines = stages.map(({ name, state }, index) => {
    const said = `${inline(name)}: ${state}`
    return `${index + 1}. ${state === 'running' || state === 'failed' ? `**${said}**` : said}`
  })
  return [`**${inline(label)}**`, '', ...lines].join('\n')
}

function rowOf(buttons: readonly Button[]): Piece[] {
  if (buttons.length <= mostInARow) return [{ kind: 'buttons', buttons }]
  const first = buttons.filter(({ style }) => style !== 'plain').slice(0, mostInARow)
  const rest = buttons.filter((button) => !first.includes(button))
  const menu: Piece = { kind: 'menu', label: 'Choose', buttons: rest }
  return first.length === 0 ? [menu] : [{ kind: 'buttons', buttons: first }, menu]
}
