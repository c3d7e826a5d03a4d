import type { BudgetRule } from '../../pricing/budget.ts'
import { refuse } from '../base/errors.ts'
import { type Caller, isNamed, type Person } from '../identity/person.ts'
import { type Approver, findApprovers } from '../requests/approval.ts'
import type { Request } from '../requests/request.ts'
import type { Outside } from './operation.ts'
import type { Site } from './site.ts'

/** What the directory says about the names that a decision on a budget hangs on: each user or group with its people. */
export type Known = ReadonlyMap<string, readonly Person[]>

/** Asks the directory who stands behind names, before any transaction. */
export async function peopleBehind({ directory }: Outside, names: readonly string[]): Promise<Known> {
  const unique = [...new Set(names)]
  return new Map(
    await Promise.all(
      unique.map(async (name): Promise<[string, Person[]]> => [name, await directory.members(name)]),
    ),
  )
}

/** The names that may have a say on a budget. */
export function namesOnBudget(outside: Outside, code: string): string[] {
  const rule = outside.site.budgets.find((known) => known.code === code)
  const fallback = outside.site.policies.approvals.fallback
  return rule === undefined ? [...fallback] : [...rule.holders, ...rule.delegates, ...fallback]
}

/** Who may decide on a request, each with the reason. @throws Refusal `no_approver`. */
export function approversFor(
  facts: { requester: string; budget: BudgetRule; fallback: readonly string[] },
  known: Known,
): Approver[] {
  return findApprovers({ ...facts, resolve: (name) => known.get(name) ?? [] })
}

/**
 * Who decides on what costs nobody anything: the operators, who answer for the site's room; the site's fallback where
 * there is no other. Never the requester. @throws Refusal `no_approver`.
 */
export function operatorsFor(requester: string, site: Site, known: Known): Approver[] {
  const named = (names: readonly string[], why: string): Approver[] => {
    const people = names.flatMap((name) => known.get(name) ?? []).map(({ user }) => user)
    return [...new Set(people)].filter((user) => user !== requester).map((user) => ({ user, why }))
  }
  const operators = named(site.roles.operator, 'operator')
  if (operators.length > 0) return operators
  const fallback = named(site.policies.approvals.fallback, 'fallback, as no other operator is known')
  if (fallback.length > 0) return fallback
  refuse(
    'no_approver',
    'Nobody but you could decide on this: the site has no other operator and no fallback.',
  )
}

/** The names behind `operatorsFor`. */
export function operatorNames({ site }: Outside): string[] {
  return [...site.roles.operator, ...site.policies.approvals.fallback]
}

/** The request as it is for somebody who would decide: without them once their time as a delegate is over. */
export function decidableBy(caller: Caller, request: Request, site: Site): Request {
  const rule = site.budgets.find(({ code }) => code === request.budget)
  const own = request.approvers.find(({ user }) => user === caller.user)
  if (rule === undefined || own?.why !== `delegate for ${rule.code}`) return request
  if (isNamed(caller, [...rule.delegates, ...rule.holders])) return request
  return { ...request, approvers: request.approvers.filter((approver) => approver !== own) }
}
