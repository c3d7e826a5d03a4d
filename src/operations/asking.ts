import { autoApproves, type BudgetRule } from '../../pricing/budget.ts'
import { addDuration } from '../base/duration.ts'
import { tell } from '../jobs/outbox.ts'
import { requestAttention } from '../requests/request.ts'
import type { Ask, Request } from '../requests/request.ts'
import { approversFor, type Known } from './approvers.ts'
import { grant } from './granting.ts'
import type { Context } from './operation.ts'

/** What a request is made of, whatever it asks for. */
export interface Asked {
  ask: Ask
  template: string
  cpus: number
  memoryGb: number
  description: string
  purpose: string
  administrators: string[]
  budget: BudgetRule
  quote: Request['quote']
}

/**
 * Saves a request and tells its approvers; or grants it at once when it costs less than its budget asks about.
 * @throws Refusal `no_approver` before anything is saved, or whatever `grant` refuses.
 */
export async function askFor(context: Context, asked: Asked, known: Known): Promise<Request> {
  const { tx, caller, now, site } = context
  const { budget, ...facts } = asked
  const automatic = autoApproves(budget, asked.quote.totalMilli)
  const policy = site.policies.approvals
  const approvers = automatic
    ? []
    : approversFor({ requester: caller.user, budget, fallback: policy.fallback }, known)
  const number = await nextNumber(context)
  const request: Request = {
    ...facts,
    id: `R-${number}`,
    number,
    state: 'pending',
    history: [{ state: 'pending', at: now }],
    requester: caller.user,
    budget: budget.code,
    approvers,
    decisions: [],
    machines: [],
    createdAt: now,
    expiresAt: addDuration(now, policy.expire, site.timezone),
    reminded: 0,
    attentionAt: null,
    failure: null,
  }
  if (automatic) {
    const reason = `below the ${budget.code} limit for automatic approval`
    return grant(context, request, { by: 'policy', at: now, verdict: 'approved', reason, via: 'system' })
  }
  const pending = { ...request, attentionAt: requestAttention(request, policy, site.timezone) }
  await tx.requests.put(pending)
  const about = { kind: 'request', id: request.id } as const
  await tell(context, { kind: 'approval-wanted', about, to: approvers.map(({ user }) => user) })
  return pending
}

async function nextNumber({ tx }: Context): Promise<number> {
  const value = ((await tx.counters.get('request'))?.value ?? 0) + 1
  await tx.counters.put({ id: 'request', value })
  return value
}
