import { z } from 'zod'
import { notFound } from '../base/errors.ts'
import { checkDecision } from '../requests/approval.ts'
import { deny } from '../requests/request.ts'
import { decidableBy } from './approvers.ts'
import { announceDecision } from './granting.ts'
import { dropCopies } from './images.ts'
import { forgetAsking } from './lease-asked.ts'
import { change } from './operation.ts'
import { anybody } from './rules.ts'
import { text } from './shapes/fields.ts'
import { RequestShape, requestView } from './shapes/request.ts'

export const denyRequest = change({
  name: 'deny-request',
  summary: 'Deny a request, with the reason that its requester is told.',
  http: { method: 'POST', path: '/requests/{id}/deny' },
  input: z.object({ id: z.string().max(40), reason: text(500).optional() }),
  output: RequestShape,
  subject: ({ id }) => `request:${id}`,
  allow: anybody,
  async run(context, { id, reason = null }) {
    const { tx, caller, now, site } = context
    const request = await tx.requests.get(id)
    if (request === undefined) throw notFound('request', id)
    const open = decidableBy(caller, request, site)
    checkDecision(open, caller, { verdict: 'denied', reason }, { now, zone: site.timezone })
    const denied = deny(request, { by: caller.user, at: now, verdict: 'denied', reason, via: caller.via })
    await tx.requests.put(denied)
    await dropCopies(context, denied)
    await forgetAsking(context, denied)
    await announceDecision(context, denied)
    return requestView(denied, { tx, now, site })
  },
})
