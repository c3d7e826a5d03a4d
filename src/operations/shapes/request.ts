import { z } from 'zod'
import { type BudgetRule, overview } from '../../../pricing/budget.ts'
import { accountId } from '../../../pricing/budget-period.ts'
import { holdsFor } from '../../../pricing/commitment.ts'
import { formatMoney } from '../../../pricing/money.ts'
import type { Instant } from '../../base/clock.ts'
import { addDays, localDay } from '../../base/period.ts'
import type { Request } from '../../requests/request.ts'
import { requestStates } from '../../requests/request.ts'
import type { ReadTransaction } from '../../store/store.ts'
import { accountOf } from '../accounts.ts'
import { hoursOfDay } from '../lease-charging.ts'
import { horizon } from '../order.ts'
import { priceClassFor, tariffsFor } from '../promising.ts'
import type { Site } from '../site.ts'
import { stateNames } from '../../base/states.ts'
import { blankView } from '../../machines/blank.ts'
import { InstantShape, MoneyShape } from './fields.ts'

export const requestStateNames = z.enum(stateNames(requestStates))

export const RequestShape = z.object({
  id: z.string(),
  state: requestStateNames,
  kind: z.enum(['machines', 'extension', 'resize', 'transfer', 'lease']),
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
  /** Empty where it costs nobody anything. */
  budget: z.string(),
  currency: z.string(),
  quote: z.object({
    id: z.string(),
    hash: z.string().optional(),
    total: MoneyShape,
    perDay: MoneyShape,
    /** Until then an approval costs what was quoted; later a dearer price has to be accepted. */
    validUntil: InstantShape.optional(),
  }),
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
  /** What became of it and when; a change of what it asks for says what is different. */
  history: z.array(z.object({ state: requestStateNames, at: InstantShape, reason: z.string().nullable() })),
  createdAt: InstantShape,
  expiresAt: InstantShape,
  failure: z.string().nullable(),
  /** Things worth knowing that are no reason to refuse. */
  warnings: z.array(z.string()),
  /** For new machines: the name and the host that were asked for, if any. */
  wanted: z
    .object({
      name: z.string().nullable(),
      host: z.string().nullable(),
      group: z.string().nullable(),
      apart: z.boolean(),
      /** An empty disk: how large, and what it boots from. */
      disk: z.object({ gb: z.number(), boot: z.string() }).nullable(),
    })
    .optional(),
  /** For more time on a desktop: the session, and what each hour that begins costs. */
  lease: z.object({ id: z.string(), pool: z.string(), desktop: z.string(), perHour: MoneyShape }).optional(),
  /** For a transfer: which machine, who is to have it, and who had it and what paid it until then. */
  transfer: z
    .object({
      machine: z.string(),
      owner: z.string(),
      was: z.object({ owner: z.string(), budget: z.string() }),
    })
    .optional(),
})
export type RequestView = z.infer<typeof RequestShape>

interface Reading {
  tx: ReadTransaction
  now: Instant
  site: Site
}

/** A request as people and programs see it, with what a decision would do to its budget. */
export async function requestView(
  request: Request,
  { tx, now, site, warnings = [] }: Reading & { warnings?: string[] },
): Promise<RequestView> {
  const { ask } = request
  const money = await budgetAfter(request, { tx, now, site })
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
    quote: quoteOf(request),
    ...money,
    approvers: request.approvers.map((approver) => ({ ...approver })),
    decisions: request.decisions.map((decision) => ({ ...decision })),
    machines: request.machines,
    history: request.history.map(({ state, at, reason = null }) => ({ state, at, reason })),
    createdAt: request.createdAt,
    expiresAt: request.expiresAt,
    failure: request.failure,
    warnings,
    ...wantedOf(request),
    ...transferOf(request),
    ...leaseAskedOf(request),
  }
}

function wantedOf({ ask }: Request): Pick<RequestView, 'wanted'> {
  if (ask.kind !== 'machines') return {}
  const { name, host, group = null, apart = false } = ask
  return { wanted: { name, host, group, apart, disk: blankView(ask.blank) } }
}

function transferOf({ ask }: Request): Pick<RequestView, 'transfer'> {
  if (ask.kind !== 'transfer') return {}
  const { machine, owner, was } = ask
  return { transfer: { machine, owner, was } }
}

function leaseAskedOf({ ask, quote }: Request): Pick<RequestView, 'lease'> {
  if (ask.kind !== 'lease') return {}
  const { lease: id, pool, desktop } = ask
  return { lease: { id, pool, desktop, perHour: formatMoney(quote.perDayMilli / hoursOfDay) } }
}

function quoteOf({ quote }: Request): RequestView['quote'] {
  const { id, hash, totalMilli, perDayMilli, validUntil } = quote
  return {
    id,
    ...(hash === undefined ? {} : { hash }),
    total: formatMoney(totalMilli),
    perDay: formatMoney(perDayMilli),
    ...(validUntil === undefined ? {} : { validUntil }),
  }
}

async function budgetAfter(
  request: Request,
  { tx, now, site }: Reading,
): Promise<{ leftAfter: string; shareAfter: number }> {
  const rule = site.budgets.find(({ code }) => code === request.budget)
  if (rule === undefined) return { leftAfter: '0.00', shareAfter: 1 }
  const id = accountId(rule, localDay(now, site.timezone))
  const pending = request.state === 'pending' ? await partOn(id, request, rule, { tx, now, site }) : 0
  const account = await accountOf(tx, id)
  const left = overview(rule, account).leftMilli - pending
  const share = rule.limit === 0 ? 1 : (rule.limit - left) / rule.limit
  return { leftAfter: formatMoney(left), shareAfter: Math.round(share * 1000) / 1000 }
}

/** What a request would take from an account: all of it, or the days of new machines that lie in the account's period. */
async function partOn(account: string, request: Request, rule: BudgetRule, at: Reading): Promise<number> {
  const { ask, quote, cpus, memoryGb } = request
  if (rule.period === 'total' || ask.kind !== 'machines') return quote.totalMilli
  const { timezone } = at.site
  const from = localDay(at.now, timezone)
  const end = ask.days === null ? localDay(horizon(ask.until, at), timezone) : addDays(from, ask.days)
  const to = end > from ? end : addDays(from, 1)
  const order = { size: { cpus, memoryGb }, count: ask.count, createdDay: from, from, to }
  const tariffs = tariffsFor({ from, to }, await priceClassFor(at.tx, ask), at)
  return holdsFor(order, rule, tariffs).find((hold) => hold.account === account)?.milli ?? 0
}
