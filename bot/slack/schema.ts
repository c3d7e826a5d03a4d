import { z } from 'zod'

/**
 * Slack's published limits (docs.slack.dev/reference/block-kit, `@slack/types` 3.2), for the blocks that we send. Strict on
 * purpose: a block, an element or a key that is not here is a fault, and so is whatever could mention somebody.
 */
export const longest = {
  messageBlocks: 50,
  viewBlocks: 100,
  text: 3000,
  header: 150,
  label: 75,
  option: 75,
  options: 100,
  buttonValue: 2000,
  url: 3000,
  viewTitle: 24,
  metadata: 3000,
  viewBytes: 250_000,
  /** Of a table: its rows with the header, and the letters of all cells together. */
  tableRows: 100,
  tableColumns: 20,
  tableLetters: 10_000,
  fallback: 40_000,
} as const

const Id = z.string().min(1).max(255)
const blockId = { block_id: Id.optional() }

function plainText(max: number) {
  return z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().min(1).max(max),
    emoji: z.boolean().optional(),
  })
}

const Style = z
  .strictObject({ bold: z.boolean(), italic: z.boolean(), strike: z.boolean(), code: z.boolean() })
  .partial()
const RichText = z.strictObject({
  type: z.literal('text'),
  text: z.string().min(1).max(longest.text),
  style: Style.optional(),
})
const Link = z.strictObject({
  type: z.literal('link'),
  url: z
    .string()
    .regex(/^https?:\/\//)
    .max(longest.url),
  text: z.string().min(1).max(longest.text).optional(),
  style: Style.optional(),
})
const Inline = z.discriminatedUnion('type', [
  RichText,
  Link,
  z.strictObject({ type: z.literal('emoji'), name: z.string().regex(/^[a-z0-9_+-]{1,80}$/) }),
  z.strictObject({
    type: z.literal('date'),
    timestamp: z.number().int(),
    format: z
      .string()
      .regex(/\{\w+\}/)
      .max(200),
    fallback: z.string().min(1).max(200).optional(),
    url: z.string().max(longest.url).optional(),
  }),
])
const RichSection = z.strictObject({
  type: z.literal('rich_text_section'),
  elements: z.array(Inline).min(1),
})
const RichTextBlock = z.strictObject({
  ...blockId,
  type: z.literal('rich_text'),
  elements: z
    .array(
      z.discriminatedUnion('type', [
        RichSection,
        z.strictObject({
          type: z.literal('rich_text_list'),
          style: z.enum(['bullet', 'ordered']),
          indent: z.number().int().min(0).max(8).optional(),
          elements: z.array(RichSection).min(1),
        }),
        z.strictObject({
          type: z.literal('rich_text_preformatted'),
          elements: z.array(z.discriminatedUnion('type', [RichText, Link])).min(1),
        }),
      ]),
    )
    .min(1),
})

const Confirm = z.strictObject({
  title: plainText(100),
  text: plainText(300),
  confirm: plainText(30),
  deny: plainText(30),
  style: z.enum(['primary', 'danger']).optional(),
})
const Option = z.strictObject({
  text: plainText(longest.option),
  value: z.string().min(1).max(longest.option),
  description: plainText(75).optional(),
})
const Button = z.strictObject({
  type: z.literal('button'),
  text: plainText(75),
  action_id: Id,
  value: z.string().min(1).max(longest.buttonValue).optional(),
  url: z.string().max(longest.url).optional(),
  style: z.enum(['primary', 'danger']).optional(),
  confirm: Confirm.optional(),
  accessibility_label: z.string().min(1).max(75).optional(),
})
const StaticSelect = z
  .strictObject({
    type: z.literal('static_select'),
    action_id: Id,
    placeholder: plainText(150).optional(),
    options: z.array(Option).min(1).max(longest.options),
    initial_option: Option.optional(),
  })
  .refine(({ options, initial_option: chosen }) => {
    return chosen === undefined || options.some((option) => JSON.stringify(option) === JSON.stringify(chosen))
  }, 'initial_option is one of the options')
  .refine(({ options }) => new Set(options.map(({ value }) => value)).size === options.length, {
    message: 'values of options are unique',
  })
const dispatch = {
  dispatch_action_config: z
    .strictObject({
      trigger_actions_on: z
        .array(z.enum(['on_enter_pressed', 'on_character_entered']))
        .min(1)
        .max(2),
    })
    .optional(),
  focus_on_load: z.boolean().optional(),
  placeholder: plainText(150).optional(),
}
const TextInput = z.strictObject({
  ...dispatch,
  type: z.literal('plain_text_input'),
  action_id: Id,
  initial_value: z.string().max(longest.text).optional(),
  multiline: z.boolean().optional(),
  min_length: z.number().int().min(0).max(longest.text).optional(),
  max_length: z.number().int().min(1).max(longest.text).optional(),
})
const NumberInput = z.strictObject({
  ...dispatch,
  type: z.literal('number_input'),
  action_id: Id,
  is_decimal_allowed: z.boolean(),
  initial_value: z
    .string()
    .regex(/^-?\d+$/)
    .optional(),
  min_value: z
    .string()
    .regex(/^-?\d+$/)
    .optional(),
  max_value: z
    .string()
    .regex(/^-?\d+$/)
    .optional(),
})

const Header = z.strictObject({ ...blockId, type: z.literal('header'), text: plainText(longest.header) })
const Divider = z.strictObject({ ...blockId, type: z.literal('divider') })
const Actions = z
  .strictObject({
    ...blockId,
    type: z.literal('actions'),
    elements: z
      .array(z.discriminatedUnion('type', [Button, StaticSelect]))
      .min(1)
      .max(25),
  })
  .refine(({ elements }) => new Set(elements.map((element) => element.action_id)).size === elements.length, {
    message: 'action ids of a block are unique',
  })
const Input = z.strictObject({
  ...blockId,
  type: z.literal('input'),
  label: plainText(2000),
  hint: plainText(2000).optional(),
  optional: z.boolean().optional(),
  dispatch_action: z.boolean().optional(),
  element: z.discriminatedUnion('type', [TextInput, NumberInput, StaticSelect]),
})
const Cell = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('raw_text'), text: z.string().min(1) }),
  RichTextBlock,
])
const Table = z
  .strictObject({
    ...blockId,
    type: z.literal('table'),
    column_settings: z
      .array(
        z.strictObject({
          align: z.enum(['left', 'center', 'right']).optional(),
          is_wrapped: z.boolean().optional(),
        }),
      )
      .max(longest.tableColumns)
      .optional(),
    rows: z.array(z.array(Cell).min(1).max(longest.tableColumns)).min(1).max(longest.tableRows),
  })
  .refine(({ rows }) => rows.every((row) => row.length === rows[0]?.length), 'rows are of one length')
  .refine(({ rows }) => lettersIn(rows) <= longest.tableLetters, 'a table has at most 10000 letters')

/** The letters that a table shows, fallbacks of dates among them. */
function lettersIn(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + lettersIn(one), 0)
  if (typeof value !== 'object' || value === null) return 0
  return Object.entries(value).reduce((sum, [name, inner]) => {
    const shown = name === 'text' || name === 'fallback'
    return sum + (shown && typeof inner === 'string' ? inner.length : lettersIn(inner))
  }, 0)
}

const MessageBlock = z.discriminatedUnion('type', [Header, RichTextBlock, Divider, Actions, Table])
const ViewBlock = z.discriminatedUnion('type', [Header, RichTextBlock, Divider, Actions, Input])

function blocksOf<T extends z.ZodType<{ block_id?: string | undefined }>>(block: T, most: number) {
  return z
    .array(block)
    .max(most)
    .refine((blocks) => {
      const ids = blocks.flatMap((one) => one.block_id ?? [])
      return new Set(ids).size === ids.length
    }, 'block ids are unique')
}

const MessageShape = z.object({
  text: z.string().min(1).max(longest.fallback),
  blocks: blocksOf(MessageBlock, longest.messageBlocks)
    .min(1)
    .refine((blocks) => blocks.filter(({ type }) => type === 'table').length <= 1, 'one table in a message'),
})
const ModalShape = z
  .strictObject({
    type: z.literal('modal'),
    title: plainText(longest.viewTitle),
    submit: plainText(longest.viewTitle).optional(),
    close: plainText(longest.viewTitle).optional(),
    callback_id: z.string().max(255).optional(),
    private_metadata: z.string().max(longest.metadata).optional(),
    blocks: blocksOf(ViewBlock, longest.viewBlocks).min(1),
  })
  .refine(({ blocks, submit }) => submit !== undefined || blocks.every(({ type }) => type !== 'input'), {
    message: 'a view with inputs has a submit',
  })
const HomeShape = z.strictObject({
  type: z.literal('home'),
  callback_id: z.string().max(255).optional(),
  private_metadata: z.string().max(longest.metadata).optional(),
  blocks: blocksOf(ViewBlock, longest.viewBlocks).min(1),
})
const ViewShape = z
  .discriminatedUnion('type', [ModalShape, HomeShape])
  .refine((view) => JSON.stringify(view).length <= longest.viewBytes, 'a view has at most 250 kB')

/** What Slack would refuse of a message, each with its place. Empty when it would take it. */
export function messageFaults(message: unknown): string[] {
  return faultsOf(MessageShape, message)
}

/** What Slack would refuse of a modal or of App Home, each with its place. */
export function viewFaults(view: unknown): string[] {
  return faultsOf(ViewShape, view)
}

function faultsOf(schema: z.ZodType, value: unknown): string[] {
  const parsed = schema.safeParse(value)
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `/${path.map(String).join('/')}: ${message}`)
}
