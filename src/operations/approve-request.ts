import { z } from 'zod'
import { notFound } from '../base/errors.ts'
import { checkDecision } from '../requests/approval.ts'
import { decidableBy } from './approvers.ts'
import { grant } from './granting.ts'
import { change } from './operation.ts'
import { anybody } from './rules.ts'
import { text } from './shapes/fields.ts'
import { RequestShape, requestView } from './shapes/request.ts'

export const approveRequest = change({
  name: 'approve-request',
  summary: 'Approve a request: money is held, room is reserved and the machines are made.',
  http: { method: 'POST', path: '/requests/{id}/approve' },
  input: z.object({
    id: z.string().max(40),
    reason: text(500).optional(),
    /** The id of a dearer quote that was shown with `quote_expired`, to approve at that price. */
    acceptQuote: text(40).optional(),
    /** The id of the quote that was shown with the request: what was changed since is shown anew, not approved. */
    quote: text(40).optional(),
  }),
  output: RequestShape,
  subject: ({ id }) => `request:${id}`,
  allow: anybody,
  async run(context, { id, reason = null, acceptQuote, quote }) {
    const { tx, caller, now, site } = context
    const request = await tx.requests.get(id)
    if (request === undefined) throw notFound('request', id)
    const open = decidableBy(caller, request, site)
    checkDecision(open, caller, { verdict: 'approved', reason }, { now, zone: site.timezone })
    const decision = { by: caller.user, at: now, verdict: 'approved', reason, via: caller.via } as const
    const granted = await grant(context, request, decision, acceptQuote ?? quote)
    return requestView(granted, { tx, now, site })
  },
})
