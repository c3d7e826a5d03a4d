import { z } from 'zod'
import { Button, Field } from '../card.ts'

/** What the press of a button does: all that is needed to do it, so that nothing has to be kept beside the post. */
export const PressDeed = z.strictObject({
  kind: z.literal('press'),
  action: z.string(),
  value: z.string(),
  label: z.string(),
  confirm: Button.shape.confirm,
  ask: Button.shape.ask,
})
export type PressDeed = z.infer<typeof PressDeed>

/** A form as it is opened: how the dialog is called, what it says first, and its fields. */
export const FormDeed = z.strictObject({
  kind: z.literal('form'),
  title: z.string(),
  intro: z.string(),
  action: z.string(),
  value: z.string(),
  submit: z.string(),
  fields: z.array(Field),
})
export type FormDeed = z.infer<typeof FormDeed>

/** What a button or a menu carries. The choices of a menu are counted from nought. */
export const Deed = z.discriminatedUnion('kind', [
  PressDeed,
  FormDeed,
  z.strictObject({ kind: z.literal('menu'), choices: z.array(PressDeed).max(20) }),
])
export type Deed = z.infer<typeof Deed>

export function pressDeed({ action, value, label, confirm, ask }: Button): PressDeed {
  return {
    kind: 'press',
    action,
    value,
    label,
    ...(confirm === undefined ? {} : { confirm }),
    ...(ask === undefined ? {} : { ask }),
  }
}
