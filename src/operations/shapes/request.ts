import { z } from 'zod'
import { overview } from '../../../pricing/budget.ts'
import { emptyAccount } from '../../../pricing/budget.ts'
import { formatMoney } from '../../../pricing/money.ts'
import type { Request } from '../../requests/request.ts'
import { requestStates } from '../../requests/request.ts'
import type { ReadTransaction } from '../../store/store.ts'
import type { Site } from '../site.ts'
import { stateNames } from '../../base/states.ts'
import { InstantShape, MoneyShape } from './fields.ts'

export const requestStateNames = z.enum(stateNames(requestStates))

export const RequestShape = z.object({
  id: z.string(),
  state: requestStateNames,
  kind: z.enum(['machines', 'extension', 'resize']),
  requester: z.string(),
  template: z.string(),
  cpus: z.number(),
  memoryGb: z.number(),
  count: z.number(),
  until: InstantShape.nullable(),
  days: z.number().nullable(),
  description: z.string(),
  purpose: z.string(),
  administrators: z.array(z.string()),
  budget: z.string(),
  currency: z.string(),
  quote: z.object({ id: z.string(), total: MoneyShape, perDay: MoneyShape }),
  /** What would be left on the budget after this one, for whoever has to decide. */
  leftAfter: MoneyShape,
  shareAfter: z.number(),
  approvers: z.array(z.object({ user: z.string(), why: z.string() })),
  decisions: z.array(
    z.object({
      by: z.string(),
      at: InstantShape,
      verdict: z.enum(['approved', 'denied', 'cancelled']),
      reason: z.string().nullable(),
      via: z.string(),
    }),
  ),
  machines: z.array(z.string()),
  createdAt: InstantShape,
  expiresAt: InstantShape,
  failure: z.string().nullable(),
  /** Things worth knowing that are no reason to refuse. */
  warnings: z.array(z.string()),
})
export type RequestView = z.infer<typeof RequestShape>

/** A request as people and programs see it, with what a decision would do to its budget. */
export async function requestView(
  request: Request,
  { tx, site, warnings = [] }: { tx: ReadTransaction; site: Site; warnings?: string[] },
): Promise<RequestView> {
  const { ask } = request
  const money = await budgetAfter(request, tx, site)
  return {
    id: request.id,
    state: request.state,
    kind: ask.kind,
    requester: request.requester,
    template: request.template,
    cpus: request.cpus,
    memoryGb: request.memoryGb,
    count: ask.kind === 'machines' ? ask.count : 1,
    until: ask.kind === 'resize' ? null : ask.until,
    days: ask.kind === 'machines' ? ask.days : null,
    description: request.description,
    purpose: request.purpose,
    administrators: request.administrators,
    budget: request.budget,
    currency: site.currency,
    quote: {
      id: request.quote.id,
      total: formatMoney(request.quote.totalMilli),
      perDay: formatMoney(request.quote.perDayMilli),
    },
    ...money,
    approvers: request.approvers.map((approver) => ({ ...approver })),
    decisions: request.decisions.map((decision) => ({ ...decision })),
    machines: request.machines,
    createdAt: request.createdAt,
    expiresAt: request.expiresAt,
    failure: request.failure,
    warnings,
  }
}

async function budgetAfter(
  request: Request,
  tx: ReadTransaction,
  site: Site,
): Promise<{ leftAfter: string; shareAfter: number }> {
  const rule = site.budgets.find(({ code }) => code === request.budget)
  if (rule === undefined) return { leftAfter: '0.00', shareAfter: 1 }
  const account = (await tx.accounts.get(rule.code)) ?? emptyAccount(rule.code)
  const pending = request.state === 'pending' ? request.quote.totalMilli : 0
  const left = overview(rule, account).leftMilli - pending
  const share = rule.limit === 0 ? 1 : (rule.limit - left) / rule.limit
  return { leftAfter: formatMoney(left), shareAfter: Math.round(share * 1000) / 1000 }
}
