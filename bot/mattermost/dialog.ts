import type { Card, Field } from '../card.ts'
import { clip } from '../cards/parts.ts'
import type { FormDeed, PressDeed } from './deed.ts'
import { inline, plain } from './escape.ts'
import { type FormPart, piecesOf } from './pieces.ts'

/** An interactive dialog (Mattermost developer documentation, interactive dialogs). */
export interface Dialog {
  callback_id: string
  title: string
  introduction_text: string
  elements: Element[]
  submit_label: string
  notify_on_cancel: boolean
  state: string
  source_url?: string
}

export interface Element {
  display_name: string
  name: string
  type: 'text' | 'textarea' | 'select'
  subtype?: 'number'
  default?: string
  help_text?: string
  placeholder?: string
  optional: boolean
  options?: { text: string; value: string }[]
  refresh?: boolean
}

/** In characters (model.Dialog of the server). */
const longest = { title: 24, name: 24, help: 150, line: 150, text: 3000, intro: 4000, submit: 24 }

/** The name of the field that asks for the price. It ends with a number, so that it can be asked for again. */
const priceField = 'price'

/** Fields for more than a word or two. */
const prose = ['purpose', 'description', 'administrators', 'reason', 'line']

/** A card with a form, as what opens it. What the card says beside its form introduces the dialog. */
export function formDeed(card: Card, form: FormPart): FormDeed {
  const { action, value, submit, fields } = form
  return { kind: 'form', title: card.title, intro: introductionOf(card), action, value, submit, fields }
}

function introductionOf(card: Card): string {
  const said = piecesOf(card, { pictures: false }).flatMap((piece) => {
    if (piece.kind === 'text') return [piece.text]
    if (piece.kind !== 'facts') return []
    return [piece.rows.map(({ name, value }) => `**${inline(name)}:** ${inline(value)}`).join('\n')]
  })
  return clip([plain(card.summary), ...said].join('\n\n'), longest.intro)
}

export interface DialogOptions {
  state: string
  /** Where it asks again while it is filled in; nothing where the server or the form cannot. */
  refreshUrl?: string | undefined
  /** How often it was asked again. */
  round?: number
}

/** The dialog of a form. */
export function dialogOf(form: FormDeed, { state, refreshUrl, round = 0 }: DialogOptions): Dialog {
  const refresh = refreshUrl !== undefined
  const elements = form.fields.map((field) => elementOf(field, refresh))
  return {
    callback_id: form.action,
    title: clip(form.title, longest.title),
    introduction_text: form.intro,
    elements: refresh ? [...elements, priceElement(round)] : elements,
    submit_label: clip(form.submit, longest.submit),
    notify_on_cancel: false,
    state,
    ...(refresh ? { source_url: refreshUrl } : {}),
  }
}

/**
 * Only a menu makes a dialog ask again, so what was typed is priced when this one is used. A dialog that was asked again
 * keeps what its fields of the same names hold: with a new name it can be used again.
 */
function priceElement(round: number): Element {
  return {
    display_name: 'Price',
    name: `${priceField}${round}`,
    type: 'select',
    placeholder: 'Choose to see it above',
    options: [{ text: 'Show the price of what is filled in', value: 'now' }],
    help_text: 'Nothing is asked for until you send the form.',
    optional: true,
    refresh: true,
  }
}

function elementOf(field: Field, refresh: boolean): Element {
  const { name, value, required, error } = field
  const asked = field.label.length > longest.name ? field.label : undefined
  const help = [error, asked, field.hint].filter((one) => one !== undefined).join(' · ')
  const base = {
    display_name: clip(field.label, longest.name),
    name,
    optional: !required,
    ...(help === '' ? {} : { help_text: clip(help, longest.help) }),
  }
  // Choosing nothing is left to the menu itself, which then says what that means.
  const choices = field.choices.filter((choice) => choice.value !== '')
  if (field.kind === 'choice' && choices.length > 0) {
    const nothing = field.choices.find((choice) => choice.value === '')?.label
    return {
      ...{
        ...base,
        type: 'select',
        options: choices.map(({ label, value: one }) => ({ text: label, value: one })),
      },
      ...(nothing === undefined ? {} : { placeholder: clip(nothing, longest.help) }),
      ...(choices.some((choice) => choice.value === value) ? { default: value } : {}),
      ...(refresh ? { refresh } : {}),
    }
  }
  const long = prose.includes(name) || value.length > longest.line
  const preset = value === '' ? {} : { default: clip(value, long ? longest.text : longest.line) }
  const number: { subtype?: 'number' } = field.kind === 'number' ? { subtype: 'number' } : {}
  return { ...base, type: long ? 'textarea' : 'text', ...number, ...preset }
}

/** The dialog that a button asks in before it does anything: what is lost, or for a sentence of reason. */
export function askDialog({ label, confirm, ask }: PressDeed, state: string): Dialog {
  const [title, text] = confirm === undefined ? [label, ''] : [confirm.title, confirm.text]
  // A question that is too long for the head of the dialog is asked whole below it.
  const intro = title.length > longest.title ? [inline(title), plain(text)] : [plain(text)]
  return {
    callback_id: 'ask',
    title: clip(title, longest.title),
    introduction_text: intro.filter((one) => one !== '').join('\n\n'),
    elements: ask === undefined ? [] : [answerElement(ask)],
    submit_label: clip(confirm?.yes ?? label, longest.submit),
    notify_on_cancel: false,
    state,
  }
}

/** The name of the field for the sentence that a button asks for. */
export const answerField = 'answer'

function answerElement(ask: NonNullable<PressDeed['ask']>): Element {
  return {
    display_name: 'Your answer',
    name: answerField,
    type: 'textarea',
    help_text: clip(ask.label, longest.help),
    optional: !ask.required,
  }
}
