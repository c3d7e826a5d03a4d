import { z } from 'zod'
import type { Rendered } from '../../../bot/mattermost/render.ts'

const Deed = z.looseObject({
  kind: z.string(),
  action: z.string().optional(),
  value: z.string().optional(),
  confirm: z.object({ title: z.string() }).optional(),
  ask: z.object({ label: z.string() }).optional(),
})
const Action = z.object({
  name: z.string(),
  style: z.string().optional(),
  tooltip: z.string().optional(),
  options: z.array(z.object({ text: z.string() })).optional(),
  integration: z.object({ context: z.object({ deed: z.string() }) }),
})
const Attachment = z.object({
  title: z.string().optional(),
  color: z.string(),
  text: z.string().optional(),
  fields: z.array(z.object({ title: z.string(), value: z.string(), short: z.boolean() })).default([]),
  actions: z.array(Action).default([]),
})
const Props = z.object({ attachments: z.array(Attachment) })

/** A post as it can be read in a kept text: its Markdown as it is sent, and its buttons with what they do. */
export function postAsText({ message, props }: Rendered): string {
  const { attachments } = Props.parse(props)
  return `${[message, ...attachments.map(attachmentAsText)].join('\n\n')}\n`
}

function attachmentAsText({ title, color, text, fields, actions }: z.infer<typeof Attachment>): string {
  const shown = [
    `--- ${color}${title === undefined ? '' : ` ${title}`}`,
    text,
    ...fields.map((field) => `${field.short ? '½ ' : ''}${field.title}: ${field.value}`),
    ...actions.map(actionAsText),
  ]
  return shown.filter((line) => line !== undefined).join('\n')
}

function actionAsText({ name, style, tooltip, options, integration }: z.infer<typeof Action>): string {
  if (options !== undefined) return `(${name}: ${options.map(({ text }) => text).join(' | ')})`
  const { kind, action, value, confirm, ask } = Deed.parse(JSON.parse(integration.context.deed))
  const asks = confirm === undefined ? '' : ` asks "${confirm.title}"`
  const answer = ask === undefined ? '' : ` asks "${ask.label}"`
  return `[${name}] ${style ?? ''} "${tooltip ?? ''}" ${kind} ${action ?? ''} ${value ?? ''}${asks}${answer}`
}

const Dialog = z.object({
  title: z.string(),
  introduction_text: z.string(),
  submit_label: z.string(),
  elements: z.array(
    z.object({
      display_name: z.string(),
      name: z.string(),
      type: z.string(),
      default: z.string().optional(),
      help_text: z.string().optional(),
      optional: z.boolean(),
      refresh: z.boolean().optional(),
      options: z.array(z.object({ text: z.string() })).optional(),
    }),
  ),
})

export function dialogAsText(value: unknown): string {
  const { title, introduction_text: intro, submit_label: submit, elements } = Dialog.parse(value)
  const lines = elements.map((one) => {
    const options = one.options === undefined ? '' : ` of ${one.options.map(({ text }) => text).join(' | ')}`
    const help = one.help_text === undefined ? '' : ` (${one.help_text})`
    const asks = one.refresh === true ? ' asks again' : ''
    return `${one.display_name}${one.optional ? '' : '*'} <${one.name} ${one.type}>: ${one.default ?? '____'}${options}${help}${asks}`
  })
  return `${[title, '', intro, '', ...lines, `[${submit}]`].join('\n')}\n`
}

/** What is read of our Markdown: code and backslashes undone, and what has no width gone. */
export function shownOf(markdown: string): string {
  return markdown
    .replace(/`([^`]*)`|\\([\\`*_{}[\]()#+\-.!>~|])/g, (_whole, code: string | undefined, escaped: string) =>
      code === undefined ? escaped : code,
    )
    .replaceAll('\u2060', '')
}
