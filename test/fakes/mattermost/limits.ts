import { z } from 'zod'

/**
 * What a Mattermost server takes of a post and of a dialog, as its documentation and its model say: limits that it
 * enforces, and those beyond which clients show less than was sent. The fake refuses what breaks them.
 */

const httpUrl = z.url({ protocol: /^https?$/ })
const style = z.union([
  z.enum(['default', 'primary', 'success', 'good', 'warning', 'danger']),
  z.string().regex(/^#[0-9a-f]{6}$/i),
])
const option = z.strictObject({ text: z.string().min(1).max(100), value: z.string().min(1).max(200) })
const options = z.array(option).min(1).max(100)

const integration = z.strictObject({ url: httpUrl, context: z.record(z.string(), z.unknown()) })
const actionId = z.string().regex(/^[A-Za-z0-9]+$/)
const action = z.discriminatedUnion('type', [
  z.strictObject({
    ...{ id: actionId, type: z.literal('button'), name: z.string().min(1).max(64), integration, style },
    ...{ tooltip: z.string().max(255).optional(), disabled: z.boolean().optional() },
  }),
  z.strictObject({
    id: actionId,
    type: z.literal('select'),
    name: z.string().min(1).max(64),
    integration,
    options,
  }),
])

const attachment = z.strictObject({
  fallback: z.string().min(1).max(1000),
  color: z.string().regex(/^#[0-9a-f]{6}$/i),
  title: z.string().max(255).optional(),
  // Longer text is cut into several posts where it comes by a webhook (7 600 characters).
  text: z.string().max(15_000).optional(),
  fields: z
    .array(z.strictObject({ title: z.string(), value: z.string().max(8000), short: z.boolean() }))
    .max(40)
    .optional(),
  actions: z.array(action).max(25).optional(),
})

/** Names in a block tree and in its registry have to be the same, none left over. */
const block: z.ZodType = z.lazy(() =>
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('text'), text: z.string().min(1) }),
    z.strictObject({ type: z.literal('divider') }),
    z.strictObject({
      ...{ type: z.literal('button'), text: z.string().min(1), action_id: blockId, style },
      tooltip: z.string().max(255).optional(),
    }),
    z.strictObject({
      type: z.literal('static_select'),
      action_id: blockId,
      placeholder: z.string().min(1),
      options,
    }),
    z.strictObject({
      ...{ type: z.literal('container'), content: z.array(block).min(1) },
      ...{ border: z.boolean().optional(), flow: z.enum(['horizontal', 'vertical']).optional() },
      gap: z.enum(['none', 'small', 'medium', 'large', 'xlarge']).optional(),
      accent_color: z.enum(['default', 'primary', 'good', 'warning', 'danger']).optional(),
    }),
  ]),
)
const blockId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
const registry = z
  .record(
    blockId,
    z.strictObject({
      type: z.literal('external'),
      url: httpUrl,
      context: z
        .record(z.string().max(128), z.unknown())
        .refine((context) => Object.keys(context).length <= 50, 'at most 50 entries'),
    }),
  )
  .refine((actions) => Object.keys(actions).length <= 50, 'at most 50 actions')

const props = z
  .looseObject({
    attachments: z.array(attachment).max(20).optional(),
    mm_blocks: z.array(block).optional(),
    mm_blocks_actions: registry.optional(),
  })
  .refine((all) => JSON.stringify(all).length <= 800_000, 'props of at most 800 000 characters')
  .refine((all) => unique(idsOf(all.attachments)), 'each action id once')

/** A post as it is created or patched. Longest message: 16 383 characters (model.PostMessageMaxRunesV2). */
const post = z.object({ message: z.string().max(16_383), props: props.optional() })

const element = z
  .strictObject({
    display_name: z.string().min(1).max(24),
    name: z.string().min(1).max(300),
    type: z.enum(['text', 'textarea', 'select']),
    subtype: z.enum(['number']).optional(),
    default: z.string().optional(),
    help_text: z.string().max(150).optional(),
    placeholder: z.string().max(150).optional(),
    optional: z.boolean(),
    options: options.optional(),
    refresh: z.boolean().optional(),
  })
  .refine(
    ({ type, default: preset = '' }) => preset.length <= (type === 'text' ? 150 : 3000),
    'a default that fits',
  )
  .refine(
    ({ type, options: choices }) => (type === 'select') === (choices !== undefined),
    'options for a select',
  )
  .refine(
    ({ options: choices, default: preset }) =>
      choices === undefined || preset === undefined || choices.some(({ value }) => value === preset),
    'a default that is an option',
  )

const dialog = z
  .strictObject({
    callback_id: z.string().max(300),
    title: z.string().min(1).max(24),
    introduction_text: z.string().max(16_383),
    elements: z.array(element).max(30),
    submit_label: z.string().min(1).max(24),
    notify_on_cancel: z.boolean(),
    state: z.string().max(4000),
    source_url: httpUrl.optional(),
  })
  .refine(({ elements }) => unique(elements.map(({ name }) => name)), 'each name once')
  .refine(
    ({ elements, source_url }) => source_url !== undefined || !elements.some(({ refresh }) => refresh),
    {
      message: 'a source_url where something asks again',
    },
  )

function unique(names: readonly string[]): boolean {
  return new Set(names).size === names.length
}

function idsOf(attachments: readonly z.infer<typeof attachment>[] | undefined): string[] {
  return (attachments ?? []).flatMap(({ actions = [] }) => actions.map(({ id }) => id))
}

/** What is wrong with a post; nothing for one that the server takes and clients show whole. */
export function postFaults(value: unknown): string[] {
  const parsed = post.safeParse(value)
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  const { mm_blocks: blocks = [], mm_blocks_actions: actions = {} } = parsed.data.props ?? {}
  return blockFaults(blocks, Object.keys(actions))
}

export function dialogFaults(value: unknown): string[] {
  const parsed = dialog.safeParse(value)
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

const Any = z.looseObject({
  text: z.string().optional(),
  action_id: z.string().optional(),
  content: z.array(z.unknown()).optional(),
})

function blockFaults(blocks: readonly unknown[], registered: readonly string[]): string[] {
  const all = flat(blocks, 0)
  const letters = all.reduce((sum, { text = '' }) => sum + text.length, 0)
  const used = all.flatMap(({ action_id: id }) => (id === undefined ? [] : [id]))
  return [
    ...(all.length > 100 ? ['mm_blocks: at most 100 blocks'] : []),
    ...(all.some(({ depth }) => depth > 32) ? ['mm_blocks: at most 32 deep'] : []),
    ...(letters > 16_000 ? ['mm_blocks: at most 16 000 characters of text'] : []),
    ...used.filter((id) => !registered.includes(id)).map((id) => `mm_blocks: ${id} is not registered`),
    ...registered.filter((id) => !used.includes(id)).map((id) => `mm_blocks_actions: ${id} is not used`),
    ...(unique(used) ? [] : ['mm_blocks: each action id once']),
  ]
}

function flat(blocks: readonly unknown[], depth: number): (z.infer<typeof Any> & { depth: number })[] {
  return blocks.flatMap((one) => {
    const known = Any.parse(one)
    return [{ ...known, depth }, ...flat(known.content ?? [], depth + 1)]
  })
}
