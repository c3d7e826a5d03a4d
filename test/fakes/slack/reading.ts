import { z } from 'zod'
import type { Blocks, FakeView } from './workspace.ts'

/** What somebody reads on the fake, and what they can press and fill in. */

const Said = z.object({ text: z.string() })
const Button = z.looseObject({ type: z.literal('button'), text: Said, action_id: z.string() })
export type ShownButton = { label: string; block: string; element: z.infer<typeof Button> }

export function buttonsIn(blocks: Blocks): ShownButton[] {
  return blocks.flatMap(({ block_id: block, elements }) =>
    (Array.isArray(elements) ? elements : []).flatMap((element): ShownButton[] => {
      const button = Button.safeParse(element)
      return button.success ? [{ label: button.data.text.text, block, element: button.data }] : []
    }),
  )
}

export function buttonOf(message: { blocks: Blocks; text: string }, label: string): ShownButton {
  const found = buttonsIn(message.blocks).find((button) => button.label.startsWith(label))
  if (found === undefined) throw new Error(`no button ${label} on: ${message.text}`)
  return found
}

const Option = z.object({ value: z.string() })
const Input = z.looseObject({
  type: z.literal('input'),
  block_id: z.string(),
  label: Said,
  hint: Said.optional(),
  dispatch_action: z.boolean().default(false),
  element: z.looseObject({
    type: z.string(),
    action_id: z.string(),
    initial_value: z.string().optional(),
    initial_option: Option.optional(),
    options: z.array(Option).optional(),
  }),
})
type Input = z.infer<typeof Input>

function inputsIn(blocks: Blocks): Input[] {
  return blocks.flatMap((block) => Input.safeParse(block).data ?? [])
}

/** The fields of a window, by name, as they stand now. */
export function fieldsIn(view: FakeView): { name: string; value: string; error?: string }[] {
  return inputsIn(view.view.blocks).map((input) => {
    const { block_id: block } = input
    const error = view.errors[block] ?? shownError(view.view.blocks, block)
    const value = valueOf(view, input)
    return { name: block.replace('field.', ''), value, ...(error === undefined ? {} : { error }) }
  })
}

/** A fault that stands under its field. */
function shownError(blocks: Blocks, block: string): string | undefined {
  const at = blocks.findIndex(({ block_id: id }) => id === block)
  const next = blocks[at + 1]
  return next?.type === 'rich_text' ? textOf([next]) : undefined
}

function valueOf({ values }: FakeView, { block_id: block, element }: Input): string {
  const typed = values[block]?.[element.action_id]
  if (typed !== undefined) return typed.selected_option?.value ?? typed.value ?? ''
  return element.initial_option?.value ?? element.initial_value ?? ''
}

/** Types into fields. What a field does not take, nobody can type. */
export function typeInto(view: FakeView, fields: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(fields)) {
    const input = inputsIn(view.view.blocks).find(({ block_id: block }) => block === `field.${name}`)
    if (input === undefined) throw new Error(`no field ${name} in ${view.view.title?.text ?? 'a window'}`)
    const { element, block_id: block } = input
    if (element.options?.every((option) => option.value !== value) === true)
      throw new Error(`no ${value} to choose`)
    if (element.type === 'number_input' && !/^\d*$/.test(value)) throw new Error(`${value} is no number`)
    const isChoice = element.type === 'static_select'
    view.values[block] = { [element.action_id]: isChoice ? { selected_option: { value } } : { value } }
  }
}

/** A window as Slack sends it with what happens in it. */
export function viewPayload(view: FakeView): object {
  const values = inputsIn(view.view.blocks).map((input): [string, object] => {
    const { block_id: block, element } = input
    const value = valueOf(view, input)
    const isChoice = element.type === 'static_select'
    const shown = isChoice
      ? { selected_option: value === '' ? null : { value } }
      : { value: value === '' ? null : value }
    return [block, { [element.action_id]: { type: element.type, ...shown } }]
  })
  return { ...view.view, id: view.id, hash: view.hash, state: { values: Object.fromEntries(values) } }
}

/** Whether a change of this field is told at once. */
export function isTold(view: FakeView, name: string): boolean {
  return inputsIn(view.view.blocks).some(
    (input) => input.block_id === `field.${name}` && input.dispatch_action,
  )
}

/** All that stands in blocks, in reading order, as it is read. */
export function textOf(blocks: Blocks): string {
  return wordsIn(blocks).join(' ').replace(/\s+/g, ' ').trim()
}

/** Rich text runs on without a space between its pieces. */
function wordsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(wordsIn)
  const node = z.looseObject({ type: z.string() }).safeParse(value).data
  if (node === undefined) return []
  const { type, elements, rows, text, fallback, url, label, hint, element } = node
  if (type === 'rich_text_section' || type === 'rich_text_preformatted') return [runOf(elements)]
  if (type === 'date') return [String(fallback)]
  if (type === 'link') return [typeof text === 'string' ? text : String(url)]
  if (type === 'input') return [...wordsIn(label), ...wordsIn(hint), ...wordsIn(element)]
  if (typeof text === 'string') return [text]
  return [...wordsIn(text), ...wordsIn(elements), ...wordsIn(rows)]
}

function runOf(elements: unknown): string {
  return wordsIn(elements).join('')
}
