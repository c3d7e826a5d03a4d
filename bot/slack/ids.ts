import { z } from 'zod'
import type { Button } from '../card.ts'
import { longest } from './schema.ts'

/**
 * What Slack carries for us and gives back with a click: in the ids of blocks and elements and in values. All of it is
 * read again as distrustfully as if anybody had written it: who may do what is decided by the operation behind it.
 */

/** What a click on an element means: a press, a press that asks for a sentence first, or a form to be opened. */
export type ClickKind = 'press' | 'ask' | 'form'

export function actionId(kind: ClickKind, action: string, at: number): string {
  return `${kind}.${action}.${at}`
}

export function readActionId(id: string): { kind: ClickKind; action: string } | undefined {
  const [, kind, action] = /^(press|ask|form)\.([a-z-]{1,40})\.\d{1,3}$/.exec(id) ?? []
  if (action === undefined || (kind !== 'press' && kind !== 'ask' && kind !== 'form')) return undefined
  return { kind, action }
}

export interface BlockPlace {
  /** Where in the message it stands. */
  place: string
  version: string
  /** What the card is about, so that its answer can take its place. */
  about: string | undefined
}

export function blockId({ place, version, about }: BlockPlace): string {
  return `b.${place}.${version}.${about ?? ''}`
}

export function readBlockId(id: string): BlockPlace | undefined {
  const [, place, version, about] = /^b\.([\d-]{1,9})\.([\w]{1,40})\.(.{0,100})$/s.exec(id) ?? []
  if (place === undefined || version === undefined) return undefined
  return { place, version, about: about === '' ? undefined : about }
}

const Asked = z.object({
  value: z.string().max(200),
  title: z.string().max(75),
  label: z.string().max(100),
  required: z.boolean(),
  note: z.string().max(300).default(''),
})
export type Asked = z.infer<typeof Asked>

/** The value of a button. One that asks first carries what it asks. */
export function pressValue({ value, ask, spoken, label, confirm }: Button): { value?: string } {
  if (ask === undefined) return value === '' ? {} : { value }
  const asked: Asked = { value, title: spoken === '' ? label : spoken, ...ask, note: confirm?.text ?? '' }
  return { value: JSON.stringify(asked) }
}

export function readAsked(value: string): Asked | undefined {
  return read(Asked, value)
}

const FormState = z.object({
  value: z.string().max(200),
  fields: z.record(z.string().max(20), z.string().max(300)),
})
/** A form as far as it is filled in. */
export type FormState = z.infer<typeof FormState>

/** A form's state as the value of the button that opens it. What is too long to be carried is typed again. */
export function formValue({ value, fields }: FormState): string {
  const kept = Object.entries(fields)
  while (kept.length > 0) {
    const text = JSON.stringify({ value, fields: Object.fromEntries(kept) })
    if (text.length <= longest.buttonValue) return text
    kept.pop()
  }
  return JSON.stringify({ value, fields: {} })
}

export function readFormState(value: string): FormState | undefined {
  return read(FormState, value)
}

const Origin = z.object({
  channel: z.string().max(40).optional(),
  message: z.string().max(40).optional(),
  responseUrl: z.string().max(500).optional(),
  /** Whether the message that the form was opened from is one that only its reader sees. */
  ephemeral: z.boolean().default(false),
  about: z.string().max(100).optional(),
  version: z.string().max(40).optional(),
  /** Whether it stood in for the form itself, so that the answer takes its place. */
  form: z.boolean().optional(),
})
/** Where a form was opened from: its answer goes back there. */
export type Origin = z.infer<typeof Origin>

const Window = z.object({
  kind: z.enum(['form', 'ask']),
  action: z.string().max(40),
  value: z.string().max(200),
  origin: Origin,
})
/** What an open window stands for. */
export type Window = z.infer<typeof Window>

export function windowData(window: Window): string {
  return JSON.stringify(window)
}

export function readWindow(data: string): Window | undefined {
  return read(Window, data)
}

function read<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
