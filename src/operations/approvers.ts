import type { BudgetRule } from '../../pricing/budget.ts'
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

/** The request as it is for somebody who would decide: without them once their time as a delegate is over. */
export function decidableBy(caller: Caller, request: Request, site: Site): Request {
  const rule = site.budgets.find(({ code }) => code === request.budget)
  const own = request.approvers.find(({ user }) => user === caller.user)
  if (rule === undefined || own?.why !== `delegate for ${rule.code}`) return request
  if (isNamed(caller, [...rule.delegates, ...rule.holders])) return request
  return { ...request, approvers: request.approvers.filter((approver) => approver !== own) }
}
