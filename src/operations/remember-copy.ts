import { z } from 'zod'
import { change } from './operation.ts'
import { anybody } from './rules.ts'

/** What cards may be about that change after somebody was answered with one. */
export const redrawnKinds = ['request', 'machine', 'lease', 'pool', 'terminals'] as const
export type RedrawnKind = (typeof redrawnKinds)[number]

/** A card that the bot has answered with is a copy like any other: it is redrawn when its subject changes. */
export const rememberCopy = change({
  name: 'remember-copy',
  summary: 'Remember where a card about something was shown.',
  http: null,
  unaudited: true,
  input: z.object({
    about: z.object({ kind: z.enum(redrawnKinds), id: z.string() }),
    copy: z.object({ platform: z.string(), channel: z.string(), message: z.string() }),
  }),
  output: z.object({}),
  allow: anybody,
  async run({ tx, caller, now, ids }, { about, copy }) {
    await tx.notices.put({
      id: ids.next('N', now),
      kind: 'shown',
      about,
      to: [caller.user],
      at: now,
      text: null,
      deliveries: [{ ...copy, user: caller.user, at: now }],
    })
    return {}
  },
})
