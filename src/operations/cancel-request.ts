import { z } from 'zod'
import { notFound, refuse } from '../base/errors.ts'
import { hasRole } from '../identity/person.ts'
import { redrawCards } from '../jobs/outbox.ts'
import { checkDecision } from '../requests/approval.ts'
import { cancel } from '../requests/request.ts'
import { dropCopies } from './images.ts'
import { forgetAsking } from './lease-asked.ts'
import { change } from './operation.ts'
import { anybody } from './rules.ts'
import { text } from './shapes/fields.ts'
import { RequestShape, requestView } from './shapes/request.ts'

export const cancelRequest = change({
  name: 'cancel-request',
  summary: 'Take back a request that nobody has decided on.',
  http: { method: 'POST', path: '/requests/{id}/cancel' },
  input: z.object({ id: z.string().max(40), reason: text(500).optional() }),
  output: RequestShape,
  subject: ({ id }) => `request:${id}`,
  allow: anybody,
  async run(context, { id, reason = null }) {
    const { tx, caller, now, site } = context
    const request = await tx.requests.get(id)
    if (request === undefined) throw notFound('request', id)
    if (request.requester !== caller.user && !hasRole(caller, 'operator')) {
      refuse('forbidden', `${id} is ${request.requester}'s to take back. An approver can deny it.`)
    }
    checkDecision(request, caller, { verdict: 'cancelled', reason }, { now, zone: site.timezone })
    const cancelled = cancel(request, {
      by: caller.user,
      at: now,
      verdict: 'cancelled',
      reason,
      via: caller.via,
    })
    await tx.requests.put(cancelled)
    await dropCopies(context, cancelled)
    await forgetAsking(context, cancelled)
    await redrawCards(context, `request:${id}`)
    return requestView(cancelled, { tx, now, site })
  },
})
