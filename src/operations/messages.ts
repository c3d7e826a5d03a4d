import { z } from 'zod'
import type { Message } from '../notices/message.ts'
import { change, query } from './operation.ts'
import { anybody, operators } from './rules.ts'
import { InstantShape } from './shapes/fields.ts'

/** How many lines of a conversation are kept; older ones fall away as new ones come. */
const kept = 300

const MessageShape = z.object({
  id: z.string(),
  from: z.enum(['person', 'jackdaw']),
  body: z.unknown(),
  at: InstantShape,
  editedAt: InstantShape.nullable(),
})

/** The built-in web chat keeps its conversations in the site's own store; other platforms keep theirs. */
export const postMessage = change({
  name: 'post-message',
  summary: 'Add a line to a conversation of the built-in chat.',
  http: null,
  unaudited: true,
  input: z.object({
    user: z.string(),
    from: z.enum(['person', 'jackdaw']),
    body: z.unknown(),
    key: z.string().optional(),
  }),
  output: z.object({ id: z.string() }),
  subject: ({ user }) => `person:${user}`,
  allow: ({ caller }, { user, from }) =>
    from === 'person' && caller.user === user ? undefined : operators({ caller }),
  async run({ tx, now, ids }, { user, from, body, key }) {
    const id = key === undefined ? ids.next('M', now) : `M-${user}-${key}`
    if ((await tx.messages.get(id)) !== undefined) return { id }
    await tx.messages.put({ id, user, from, body, at: now, editedAt: null })
    if ((await tx.messages.count('conversation', user)) > kept) {
      const { items } = await tx.messages.page({ where: { index: 'conversation', key: user }, limit: 1 })
      for (const oldest of items) await tx.messages.remove(oldest.id)
    }
    return { id }
  },
})

/** A card that is gone stays gone: changing it is success. */
export const editMessage = change({
  name: 'edit-message',
  summary: 'Replace a card in a conversation of the built-in chat.',
  http: null,
  unaudited: true,
  input: z.object({ id: z.string(), body: z.unknown() }),
  output: z.object({}),
  allow: operators,
  async run({ tx, now }, { id, body }) {
    const message = await tx.messages.get(id)
    if (message !== undefined && JSON.stringify(message.body) !== JSON.stringify(body)) {
      await tx.messages.put({ ...message, body, editedAt: now })
    }
    return {}
  },
})

export const listMessages = query({
  name: 'list-messages',
  summary: 'Read your conversation of the built-in chat, oldest first.',
  http: null,
  input: z.object({ limit: z.number().int().max(kept).default(100) }),
  output: z.object({ items: z.array(MessageShape) }),
  allow: anybody,
  async run({ tx, caller }, { limit }) {
    const where = { index: 'conversation', key: caller.user } as const
    const { items } = await tx.messages.page({ where, limit, newestFirst: true })
    return { items: items.map(messageView).reverse() }
  },
})

export const showMessage = query({
  name: 'show-message',
  summary: 'Read one line of your conversation of the built-in chat.',
  http: null,
  input: z.object({ id: z.string() }),
  output: z.object({ message: MessageShape.nullable() }),
  allow: anybody,
  async run({ tx, caller }, { id }) {
    const message = await tx.messages.get(id)
    return { message: message?.user === caller.user ? messageView(message) : null }
  },
})

function messageView({ id, from, body, at, editedAt }: Message): z.infer<typeof MessageShape> {
  return { id, from, body, at, editedAt }
}
