import type { types } from '@slack/bolt'
import type { Card, Field, Part } from '../card.ts'
import { clip } from '../cards/parts.ts'
import { type Asked, type Origin, windowData } from './ids.ts'
import { type Frame, headBlocks, partBlocks, summaryBlock } from './render.ts'
import { richText, section } from './rich.ts'
import { longest } from './schema.ts'

type Form = Extract<Part, { kind: 'form' }>

export function formOf(card: Card): Form | undefined {
  return card.parts.find((part) => part.kind === 'form')
}

/** A card's form as a window, with the rest of the card above its fields. Faults stand under the fields they are about. */
export function formView(card: Card, form: Form, origin: Origin, frame: Frame): types.ModalView {
  const rest = { ...card, parts: card.parts.filter(({ kind }) => kind !== 'form' && kind !== 'buttons') }
  const { action, value } = form
  return {
    type: 'modal',
    callback_id: 'form',
    private_metadata: metadata({ kind: 'form', action, value, origin }),
    title: plain(clip(card.title, longest.viewTitle)),
    submit: plain(form.submit),
    close: plain('Cancel'),
    blocks: [
      summaryBlock(card.summary, card.tone, frame.zone),
      ...partBlocks(rest, { ...frame, tables: false, pictures: false }),
      ...form.fields.flatMap((field) => fieldBlocks(field, frame)),
    ].slice(0, longest.viewBlocks),
  }
}

/** The origin is a help, not needed: one that does not fit is left out. */
function metadata(window: Parameters<typeof windowData>[0]): string {
  const text = windowData(window)
  return text.length <= longest.metadata ? text : windowData({ ...window, origin: { ephemeral: false } })
}

function plain(text: string): types.PlainTextElement {
  return { type: 'plain_text', text, emoji: false }
}

/** Fields that a price may depend on: the form asks again when one of them changes. */
const priced = ['term', 'count', 'cpus', 'memory', 'template', 'budget']

function fieldBlocks(field: Field, { zone }: Frame): types.KnownBlock[] {
  const live = priced.includes(field.name)
  const input: types.InputBlock = {
    type: 'input',
    // The same in each version of the form: so Slack keeps what was typed while the form is drawn anew.
    block_id: fieldBlockId(field.name),
    label: plain(field.label),
    ...(field.hint === undefined ? {} : { hint: plain(field.hint) }),
    optional: !field.required,
    ...(live ? { dispatch_action: true } : {}),
    element: fieldElement(field, live),
  }
  return field.error === undefined ? [input] : [input, summaryBlock(field.error, 'warn', zone)]
}

export function fieldBlockId(name: string): string {
  return `field.${name}`
}

function fieldElement(field: Field, live: boolean): types.InputBlock['element'] {
  const { kind, value, choices } = field
  const dispatch: Pick<types.PlainTextInput, 'dispatch_action_config'> = live
    ? { dispatch_action_config: { trigger_actions_on: ['on_enter_pressed', 'on_character_entered'] } }
    : {}
  if (kind === 'choice' && choosable(choices)) {
    const options = choices.map((choice) => ({ text: plain(choice.label), value: choice.value }))
    const chosen = options.find((option) => option.value === value)
    return {
      type: 'static_select',
      action_id: 'value',
      placeholder: plain('Choose'),
      options,
      ...(chosen === undefined ? {} : { initial_option: chosen }),
    }
  }
  if (kind === 'number' && /^\d*$/.test(value)) {
    return {
      ...dispatch,
      type: 'number_input',
      action_id: 'value',
      is_decimal_allowed: false,
      min_value: '1',
      ...(value === '' ? {} : { initial_value: value }),
    }
  }
  return {
    ...dispatch,
    type: 'plain_text_input',
    action_id: 'value',
    max_length: 500,
    ...(value === '' ? {} : { initial_value: value }),
  }
}

/** Whether Slack takes these as options. What it does not take is typed. */
function choosable(choices: Field['choices']): boolean {
  const fits = ({ value, label }: Field['choices'][number]): boolean =>
    value.length > 0 && value.length <= longest.option && label.length > 0
  const unique = new Set(choices.map(({ value }) => value)).size === choices.length
  return choices.length > 0 && choices.length <= longest.options && unique && choices.every(fits)
}

/** The window that asks for a sentence before a button does its work. */
export function askView(asked: Asked, action: string, origin: Origin): types.ModalView {
  const { value, title, label, required, note } = asked
  return {
    type: 'modal',
    callback_id: 'ask',
    private_metadata: metadata({ kind: 'ask', action, value, origin }),
    title: plain(clip(title, longest.viewTitle)),
    submit: plain('Send'),
    close: plain('Cancel'),
    blocks: [
      richText(section({ type: 'text', text: title, style: { bold: true } })),
      ...(note === '' ? [] : [richText(section({ type: 'text', text: note }))]),
      {
        type: 'input',
        block_id: fieldBlockId('answer'),
        label: plain(label === '' ? 'Your answer' : label),
        optional: !required,
        element: { type: 'plain_text_input', action_id: 'value', multiline: true, max_length: 500 },
      },
    ],
  }
}

/** A window that says one thing, such as that something is under way. */
export function noteView(card: Pick<Card, 'title' | 'summary' | 'tone'>, zone: string): types.ModalView {
  return {
    type: 'modal',
    title: plain(clip(card.title, longest.viewTitle)),
    close: plain('Close'),
    blocks: [summaryBlock(card.summary, card.tone, zone)],
  }
}

/** What somebody sees of theirs when they open the app: each card with its parts, as far as there is room. */
export function homeView(cards: readonly Card[], frame: Frame): types.HomeView {
  const blocks = cards.flatMap((card, index) => {
    const own = { ...frame, tables: false, pictures: false, version: `${frame.version}x${index}` }
    const drawn: types.KnownBlock[] = [...headBlocks(card, own), ...partBlocks(card, own)]
    return index === 0 ? drawn : [{ type: 'divider' as const }, ...drawn]
  })
  return { type: 'home', callback_id: 'home', blocks: blocks.slice(0, longest.viewBlocks) }
}
