import { DateTime } from 'luxon'
import { z } from 'zod'
import type { Instant } from '../base/clock.ts'
import { IsoDuration } from '../base/duration.ts'
import { Refusal } from '../base/errors.ts'
import type { LocalDay } from '../base/period.ts'
import { list } from '../base/text.ts'
import type { Approver, Decision, Request } from './request.ts'

export type { Approver }

/** How requests are decided at this site. */
export const ApprovalPolicy = z.strictObject({
  /** How long a request waits for its decision. */
  expire: IsoDuration,
  /**
   * Who decides where no holder or delegate may, and who is asked too once half of a request's time has gone by without a
   * decision: users or groups.
   */
  fallback: z.array(z.string()),
  /** After how long approvers are reminded; each time twice as long. */
  remindAfter: IsoDuration,
})
export type ApprovalPolicy = z.infer<typeof ApprovalPolicy>

/** A budget code as far as approvals care: users and groups. */
export interface BudgetPeople {
  code: string
  holders: readonly string[]
  members: readonly string[]
  delegates: readonly string[]
}

/** Who asks, as far as approvals care. */
interface Asker {
  user: string
  groups: readonly string[]
}

/** When a decision is made, and the zone in which people read the time. */
interface Moment {
  now: Instant
  zone: string
}

/**
 * Who may decide on a request, each once and with the reason: holders of the budget, then its delegates; the site's
 * fallback only where there is neither. Never the requester.
 * `resolve` gives the people that the directory knows behind a user or a group; none when it knows neither.
 * @throws Refusal `no_approver` when there is nobody at all.
 */
export function findApprovers(facts: {
  requester: string
  budget: BudgetPeople
  fallback: readonly string[]
  resolve: (name: string) => readonly { user: string }[]
}): Approver[] {
  const { budget, requester } = facts
  const named = (names: readonly string[], why: string) =>
    names.flatMap(facts.resolve).map(({ user }) => ({ user, why }))
  const own = [
    ...named(budget.holders, `holder of ${budget.code}`),
    ...named(budget.delegates, `delegate for ${budget.code}`),
  ]
  const others = onceEach(own, requester)
  if (others.length > 0) return others
  const gap =
    own.length > 0 ? 'has no other holder than the requester' : 'has no holder that the directory knows'
  const fallback = onceEach(named(facts.fallback, `fallback, as ${budget.code} ${gap}`), requester)
  if (fallback.length > 0) return fallback
  throw new Refusal(
    'no_approver',
    `Nobody but you could decide on this: ${budget.code} ${gap}, and no fallback approver of this site is known. ` +
      `Ask an operator to name a delegate for ${budget.code} or a fallback approver, or use another budget.`,
    { about: budget.code },
  )
}

/**
 * Whether somebody may decide on a request, or take it back, as it is now.
 * @throws Refusal `own_request`, `not_an_approver`, `forbidden` (taking back what is somebody else's),
 *   `already_decided` naming who and when, `reason_required` for a denial without one.
 */
export function checkDecision(
  request: Request,
  caller: Asker & { roles: readonly string[] },
  decision: Pick<Decision, 'verdict' | 'reason'>,
  moment?: Moment,
): void {
  if (decision.verdict === 'cancelled') checkCanceller(request, caller)
  else checkApprover(request, caller)
  if (request.state !== 'pending') throw alreadyDecided(request, moment?.zone ?? 'utc')
  if (moment !== undefined && request.expiresAt <= moment.now) throw tooLate(request, moment.zone)
  if (decision.verdict === 'denied' && (decision.reason ?? '').trim() === '') {
    throw new Refusal(
      'reason_required',
      `Say why ${request.id} is denied; ${request.requester} will read it.`,
      {
        errors: [{ path: 'reason', message: 'a sentence' }],
      },
    )
  }
}

/** Whether somebody may charge a budget: as its holder, delegate or member, by name or through a group. */
export function mayUseBudget(person: Asker, budget: BudgetPeople): boolean {
  const names = [...budget.holders, ...budget.delegates, ...budget.members]
  const mine = new Set([person.user, ...person.groups, 'everyone'].map((name) => name.toLowerCase()))
  return names.some((name) => mine.has(name.toLowerCase()))
}

/** A budget as far as it matters whether it may be used. */
interface UsableBudget extends BudgetPeople {
  /** From this day of the site's calendar on nothing new may be put on it. */
  closed?: string | undefined
}

/**
 * The budget of a code, for somebody who may use it on a day. Capital letters or not makes no difference.
 * `asker` is who reads a refusal, where that is not the person.
 * @throws Refusal `unknown_budget` (also when it is closed) or `not_a_member`, with the codes that they may use.
 */
export function checkMayUse<B extends UsableBudget>(
  person: Asker,
  code: string,
  budgets: readonly B[],
  { today, asker = person.user }: { today: LocalDay; asker?: string },
): B {
  const budget = budgets.find((known) => known.code === code.toUpperCase())
  if (budget !== undefined && mayUseBudget(person, budget)) {
    checkOpen(person, budget, budgets, { today, asker })
    return budget
  }
  const { codes, remedy } = usable(person, budgets, { today, asker })
  if (budget === undefined) {
    throw new Refusal('unknown_budget', `There is no budget ${code}. ${remedy}`, { suggestions: codes })
  }
  const whose = asker === person.user ? 'not yours to use' : `not for ${person.user} to use`
  throw new Refusal(
    'not_a_member',
    `${budget.code} is ${whose}; its holders are ${list(budget.holders)}. ${remedy}`,
    { suggestions: codes },
  )
}

/** Whether something new may be put on a budget on a day. @throws Refusal `unknown_budget` with those that may be used. */
export function checkOpen(
  person: Asker,
  budget: UsableBudget,
  budgets: readonly UsableBudget[],
  { today, asker = person.user }: { today: LocalDay; asker?: string },
): void {
  if (!isClosedOn(budget, today)) return
  const { codes, remedy } = usable(person, budgets, { today, asker })
  const detail = `${budget.code} is closed since ${budget.closed ?? today}: nothing new is put on it. ${remedy}`
  throw new Refusal('unknown_budget', detail, { about: budget.code, suggestions: codes })
}

/** Whether nothing new may be put on a budget on a day. */
export function isClosedOn({ closed }: Pick<UsableBudget, 'closed'>, day: LocalDay): boolean {
  return closed !== undefined && closed <= day
}

function usable(
  person: Asker,
  budgets: readonly UsableBudget[],
  { today, asker }: { today: LocalDay; asker: string },
): { codes: string[]; remedy: string } {
  const codes = budgets
    .filter((known) => mayUseBudget(person, known) && !isClosedOn(known, today))
    .map(({ code }) => code)
  const who = asker === person.user ? 'You' : person.user
  if (codes.length > 0) return { codes, remedy: `${who} may use ${list(codes, 'or')}.` }
  const whom = asker === person.user ? 'you' : person.user
  return { codes, remedy: `There is none that ${whom} may use; ask an operator.` }
}

function onceEach(approvers: readonly Approver[], requester: string): Approver[] {
  const first = new Map<string, Approver>()
  for (const approver of approvers) {
    if (approver.user !== requester && !first.has(approver.user)) first.set(approver.user, approver)
  }
  return [...first.values()]
}

function checkCanceller(request: Request, caller: Asker & { roles: readonly string[] }): void {
  if (caller.user === request.requester || caller.roles.includes('operator')) return
  throw new Refusal(
    'forbidden',
    `${request.id} is ${request.requester}'s to take back. An approver can deny it.`,
    { about: request.id },
  )
}

function checkApprover(request: Request, caller: Asker): void {
  if (request.approvers.some(({ user }) => user === caller.user) && caller.user !== request.requester) return
  const who = list(
    request.approvers.map(({ user }) => user),
    'or',
  )
  const remedy = who === '' ? '' : ` It is for ${who} to decide.`
  if (caller.user === request.requester) {
    throw new Refusal('own_request', `${request.id} is your own request.${remedy}`, { about: request.id })
  }
  throw new Refusal('not_an_approver', `You are not an approver of ${request.id}.${remedy}`, {
    about: request.id,
  })
}

function alreadyDecided(request: Request, zone: string): Refusal {
  const decision = request.decisions.at(-1)
  const at = request.history.at(-1)?.at ?? request.createdAt
  const what =
    decision === undefined
      ? `is ${request.state} since ${local(at, zone)}`
      : `was ${decision.verdict} by ${decision.by} on ${local(decision.at, zone)}`
  return new Refusal('already_decided', `${request.id} ${what}. There is nothing left to decide.`, {
    about: request.id,
  })
}

function tooLate(request: Request, zone: string): Refusal {
  const end = local(request.expiresAt, zone)
  const remedy = `${request.requester} can ask again.`
  return new Refusal('already_decided', `${request.id} expired on ${end} without a decision. ${remedy}`, {
    about: request.id,
  })
}

function local(at: Instant, zone: string): string {
  return DateTime.fromISO(at, { zone }).toFormat('yyyy-MM-dd HH:mm')
}
