import { autoApproves, type BudgetRule } from '../../pricing/budget.ts'
import { earliest, type Instant } from '../base/clock.ts'
import { addDuration } from '../base/duration.ts'
import { redrawCards, tell } from '../jobs/outbox.ts'
import { requestAttention } from '../requests/request.ts'
import type { Approver, Ask, Request } from '../requests/request.ts'
import { approversFor, type Known } from './approvers.ts'
import { grant } from './granting.ts'
import type { Context } from './operation.ts'
import { quoteOfChanged } from './requoting.ts'

/** What a request is made of, whatever it asks for. */
export interface Asked {
  ask: Ask
  template: string
  cpus: number
  memoryGb: number
  description: string
  purpose: string
  administrators: string[]
  /** Null where it costs nobody anything: then `deciders` decide. */
  budget: BudgetRule | null
  deciders?: Approver[]
  /** Until when a decision is of use, where that is before the site's time for it. */
  decideBy?: Instant
  quote: Request['quote']
}

/**
 * Saves a request and tells its approvers; or grants it at once when it costs less than its budget asks about.
 * @throws Refusal `no_approver` before anything is saved, or whatever `grant` refuses.
 */
export async function askFor(context: Context, asked: Asked, known: Known): Promise<Request> {
  const { caller, now } = context
  const { budget, deciders, decideBy, ...facts } = asked
  const number = await nextNumber(context)
  const request: Request = {
    ...facts,
    id: `R-${number}`,
    number,
    state: 'pending',
    history: [{ state: 'pending', at: now }],
    requester: caller.user,
    budget: budget?.code ?? '',
    approvers: [],
    decisions: [],
    machines: [],
    createdAt: now,
    expiresAt: timeToDecide(context, decideBy),
    reminded: 0,
    attentionAt: null,
    failure: null,
  }
  return submit(context, request, { budget, deciders }, known)
}

/**
 * Puts other things in the place of what a pending request asks for. Whatever was decided about it counts no more, and
 * who decides now is found and told as for a new one, with as much time.
 * @throws Refusal as `askFor`.
 */
export async function askAgain(
  context: Context,
  request: Request,
  asked: Asked & { what: string },
  known: Known,
): Promise<Request> {
  const { now } = context
  const { budget, deciders, decideBy, what, ...facts } = asked
  const { id, totalMilli } = request.quote
  const replaced = [...(request.replaced ?? []), { id, totalMilli }]
  const changed: Request = {
    ...request,
    ...facts,
    replaced,
    quote: quoteOfChanged({ replaced }, facts.quote),
    budget: budget?.code ?? '',
    decisions: [],
    history: [...request.history, { state: 'pending', at: now, reason: what }],
    expiresAt: timeToDecide(context, decideBy),
  }
  const submitted = await submit(context, changed, { budget, deciders }, known)
  await redrawCards(context, `request:${request.id}`)
  return submitted
}

function timeToDecide({ now, site }: Context, decideBy: Instant | undefined): Instant {
  const usual = addDuration(now, site.policies.approvals.expire, site.timezone)
  return earliest(usual, decideBy) ?? usual
}

async function submit(
  context: Context,
  request: Request,
  { budget, deciders = [] }: { budget: BudgetRule | null; deciders?: Approver[] | undefined },
  known: Known,
): Promise<Request> {
  const { tx, now, site } = context
  const policy = site.policies.approvals
  if (budget !== null && autoApproves(budget, request.quote.totalMilli)) {
    const reason = `below the ${budget.code} limit for automatic approval`
    const decision = { by: 'policy', at: now, verdict: 'approved', reason, via: 'system' } as const
    const granted = await grant(context, { ...request, approvers: [] }, decision)
    await announce(context, request)
    return granted
  }
  const { requester } = request
  const approvers =
    budget === null ? deciders : approversFor({ requester, budget, fallback: policy.fallback }, known)
  const pending = { ...request, approvers }
  const waiting = { ...pending, attentionAt: requestAttention(pending, policy, site.timezone) }
  await tx.requests.put(waiting)
  const about = { kind: 'request', id: request.id } as const
  await tell(context, { kind: 'approval-wanted', about, to: approvers.map(({ user }) => user) })
  await announce(context, request)
  return waiting
}

/** Once for each request: its card in the channel is redrawn like any other. */
async function announce(context: Context, { id }: Request): Promise<void> {
  if (!context.site.announces) return
  const known = await context.tx.notices.find('about', `request:${id}`)
  if (known.some(({ kind }) => kind === 'announced')) return
  await tell(context, { kind: 'announced', about: { kind: 'request', id }, to: [] })
}

async function nextNumber({ tx }: Context): Promise<number> {
  const value = ((await tx.counters.get('request'))?.value ?? 0) + 1
  await tx.counters.put({ id: 'request', value })
  return value
}
