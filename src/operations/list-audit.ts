import { z } from 'zod'
import { query } from './operation.ts'
import { auditors } from './rules.ts'
import { InstantField, InstantShape, Paging } from './shapes/fields.ts'

/** How many rows are looked through for one page, so that a rare name costs a bounded read. */
const reach = 5000

export const listAudit = query({
  name: 'list-audit',
  summary: 'List who did what, newest first.',
  http: { method: 'GET', path: '/audit' },
  input: z.object({
    since: InstantField.optional(),
    actor: z.string().max(200).optional(),
    subject: z.string().max(200).optional(),
    ...Paging,
  }),
  output: z.object({
    items: z.array(
      z.object({
        id: z.string(),
        at: InstantShape,
        actor: z.string(),
        via: z.string(),
        operation: z.string(),
        subject: z.string().nullable(),
        result: z.string(),
        detail: z.string().nullable(),
      }),
    ),
    next: z.string().nullable(),
  }),
  allow: auditors,
  async run({ tx }, { since, actor, subject, limit = 50, cursor }) {
    const filtered = actor !== undefined || subject !== undefined
    const page = await tx.audit.page({
      limit: filtered ? reach : limit,
      ...(since === undefined ? {} : { from: since }),
      ...(cursor === undefined ? {} : { after: cursor }),
    })
    if (!filtered) return page
    const matching = page.items.filter(
      (row) =>
        (actor === undefined || row.actor === actor) &&
        (subject === undefined || row.subject === subject || row.subject?.split(':')[1] === subject),
    )
    const items = matching.slice(0, limit)
    return { items, next: matching.length > limit ? (items.at(-1)?.id ?? null) : page.next }
  },
})
