import type { Button, Card } from '../card.ts'
import { type Deed, pressDeed } from './deed.ts'
import { formDeed } from './dialog.ts'
import { inline, label, plain } from './escape.ts'
import { type Piece, piecesOf } from './pieces.ts'

/** What is sent with a button and comes back when it is pressed. Clients do not see it. */
export type Context = Record<string, unknown>

export interface RenderOptions {
  /** Where presses go. */
  url: string
  /** Seals what a button does. */
  seal(deed: Deed): Context
  /**
   * Letters and digits of this rendering alone. They are in the ids of its buttons, so that whoever still sees an older
   * rendering presses nothing of a newer one.
   */
  mark: string
  /** Whether the server has Mattermost Blocks (11.10 and later). */
  blocks: boolean
  /** Whether charts are uploaded beside the card. */
  pictures: boolean
}

/** A card as the text and the props of a post. */
export interface Rendered {
  message: string
  props: Record<string, unknown>
}

/** All text of a post's blocks together (Mattermost Blocks reference). */
const mostBlockText = 16_000
/** Blocks in a post, however deep. */
const mostBlocks = 100

/**
 * A card as a post. The summary is the message: what a notification shows, and what a search finds. The rest is message
 * attachments, which every server knows, or blocks where the server has them and they hold it all.
 */
export function renderCard(card: Card, options: RenderOptions): Rendered {
  const message = messageOf(card)
  const pieces = piecesOf(card, options)
  if (pieces.length === 0) return { message, props: { attachments: [] } }
  const blocks = options.blocks ? blocksOf(card, pieces, options) : undefined
  return { message, props: blocks ?? { attachments: attachmentsOf(card, pieces, options) } }
}

/** Colour is never the only sign. */
function messageOf({ tone, summary }: Card): string {
  const word = { good: '', wait: '', neutral: '', warn: '**Attention:** ', bad: '**Failed:** ' }[tone]
  return word === '' ? plain(summary) : `${word}${inline(summary)}`
}

const colours: Readonly<Record<Card['tone'], string>> = {
  good: '#2e7d4f',
  wait: '#1c58d9',
  warn: '#b36b00',
  bad: '#b3261e',
  neutral: '#6b7280',
}

interface Attachment {
  fallback: string
  color: string
  title?: string
  text?: string
  fields?: { title: string; value: string; short: boolean }[]
  actions?: unknown[]
}

/**
 * An attachment shows its text, then its fields, then its buttons. So that a card's parts keep their order, a part that
 * would come out too early begins a new attachment.
 */
function attachmentsOf(card: Card, pieces: readonly Piece[], options: RenderOptions): Attachment[] {
  const slots = { text: 0, facts: 1, buttons: 2, menu: 2, form: 2 }
  const base = { fallback: inline(card.summary), color: colours[card.tone] }
  const attachments: Attachment[] = [{ ...base, title: inline(card.title) }]
  const names = namer(options.mark)
  let slot = 0
  for (const piece of pieces) {
    let current = attachments.at(-1)
    if (current === undefined || slots[piece.kind] < slot) {
      current = { ...base }
      attachments.push(current)
    }
    slot = slots[piece.kind]
    addTo(current, piece, { card, options, names })
  }
  return attachments
}

interface Drawing {
  card: Card
  options: RenderOptions
  names: () => string
}

function addTo(attachment: Attachment, piece: Piece, drawing: Drawing): void {
  if (piece.kind === 'text') {
    attachment.text = attachment.text === undefined ? piece.text : `${attachment.text}\n\n${piece.text}`
  } else if (piece.kind === 'facts') {
    const fields = piece.rows.map(({ name, value }) => fieldOf(name, value))
    attachment.fields = [...(attachment.fields ?? []), ...fields]
  } else {
    attachment.actions = [...(attachment.actions ?? []), ...actionsOf(piece, drawing)]
  }
}

/** Short values stand two in a row. */
function fieldOf(name: string, value: string): { title: string; value: string; short: boolean } {
  return { title: inline(name), value: plain(value), short: value.length <= 40 && !value.includes('\n') }
}

function actionsOf(piece: Exclude<Piece, { kind: 'text' | 'facts' }>, drawing: Drawing): unknown[] {
  const { options, names } = drawing
  const integration = (deed: Deed): unknown => ({ url: options.url, context: options.seal(deed) })
  return controlsOf(piece, drawing.card).map((control) =>
    control.kind === 'menu'
      ? {
          id: names(),
          type: 'select',
          name: control.name,
          options: control.options,
          integration: integration(control.deed),
        }
      : {
          id: names(),
          type: 'button',
          name: control.name,
          style: control.style,
          tooltip: control.tooltip,
          integration: integration(control.deed),
        },
  )
}

type Control =
  | { kind: 'button'; name: string; style: string; tooltip: string; deed: Deed }
  | { kind: 'menu'; name: string; options: { text: string; value: string }[]; deed: Deed }

function controlsOf(piece: Exclude<Piece, { kind: 'text' | 'facts' }>, card: Card): Control[] {
  if (piece.kind === 'buttons') return piece.buttons.map(buttonControl)
  if (piece.kind === 'menu') {
    const choices = piece.buttons.map(pressDeed)
    const options = piece.buttons.map((button, index) => ({ text: label(button.label), value: `${index}` }))
    return [{ kind: 'menu', name: label(piece.label), options, deed: { kind: 'menu', choices } }]
  }
  const deed = formDeed(card, piece.form)
  const name = 'Open the form'
  return [{ kind: 'button', name, style: 'primary', tooltip: label(card.title), deed }]
}

function buttonControl(button: Button): Control {
  const style = { plain: 'default', primary: 'primary', danger: 'danger' }[button.style]
  return {
    kind: 'button',
    name: label(button.label),
    style,
    tooltip: label(button.spoken),
    deed: pressDeed(button),
  }
}

/** Ids of actions are letters and digits, each once in a post. */
function namer(mark: string): () => string {
  let count = 0
  return () => `${mark}${++count}`
}

const accents: Readonly<Record<Card['tone'], string>> = {
  good: 'good',
  wait: 'primary',
  warn: 'warning',
  bad: 'danger',
  neutral: 'default',
}

/** The same as Mattermost Blocks; nothing when there is more than they may hold. */
function blocksOf(
  card: Card,
  pieces: readonly Piece[],
  options: RenderOptions,
): Record<string, unknown> | undefined {
  const names = namer(options.mark)
  const actions: Record<string, unknown> = {}
  let letters = 0
  const textBlock = (text: string): unknown => {
    letters += text.length
    return { type: 'text', text }
  }
  const register = (deed: Deed): string => {
    const id = names()
    actions[id] = { type: 'external', url: options.url, context: options.seal(deed) }
    return id
  }
  const content = [
    textBlock(`**${inline(card.title)}**`),
    ...pieces.map((piece) => {
      if (piece.kind === 'text') return textBlock(piece.text)
      if (piece.kind === 'facts') return textBlock(factLines(piece.rows))
      const controls = controlsOf(piece, card)
      letters += controls.reduce((sum, { name }) => sum + name.length, 0)
      return { type: 'container', flow: 'horizontal', gap: 'small', content: controls.map(blockOf(register)) }
    }),
  ]
  const count = content.length + Object.keys(actions).length + 1
  if (letters > mostBlockText || count > mostBlocks) return undefined
  const card_ = { type: 'container', border: true, accent_color: accents[card.tone], gap: 'small', content }
  return { mm_blocks: [card_], mm_blocks_actions: actions }
}

function factLines(rows: readonly { name: string; value: string }[]): string {
  return rows.map(({ name, value }) => `**${inline(name)}:** ${plain(value)}`).join('\n')
}

const blockOf =
  (register: (deed: Deed) => string) =>
  (control: Control): unknown =>
    control.kind === 'menu'
      ? {
          type: 'static_select',
          action_id: register(control.deed),
          placeholder: control.name,
          options: control.options,
        }
      : {
          type: 'button',
          text: control.name,
          action_id: register(control.deed),
          style: control.style,
          tooltip: control.tooltip,
        }
