import { z } from 'zod'
import { assert, Refusal } from '../src/base/errors.ts'
import type { LocalDay } from '../src/base/period.ts'
import { list } from '../src/base/text.ts'
import { checked, formatMoney, isMoney, type Milli, parseMoney } from './money.ts'

const Money = z
  .string()
  .refine(isMoney, 'an amount with at most three decimals in quotes, such as "2000.00"')
  .transform(parseMoney)

/** A budget code as the site's file describes it. Money is in milli-units once parsed. */
export const BudgetRule = z.strictObject({
  code: z.string().regex(/^[A-Z][A-Z0-9-]{0,19}$/, 'a budget code: capital letters, digits and dashes'),
  title: z.string().min(1).max(80),
  holders: z.array(z.string()).min(1),
  members: z.array(z.string()).default([]),
  delegates: z.array(z.string()).default([]),
  limit: Money,
  autoApproveBelow: Money.default(0),
})
export type BudgetRule = z.infer<typeof BudgetRule>

/** What stands on a budget. held + spent + left = limit, always. `id` is the code. */
export interface Account {
  id: string
  heldMilli: Milli
  spentMilli: Milli
}

/** Money held for one machine until its end. `id` is the machine's name. */
export interface Commitment {
  id: string
  budget: string
  /** Still held for it. */
  heldMilli: Milli
  /** Already moved from held to spent. */
  spentMilli: Milli
  createdDay: LocalDay
  /** The day it is paid up to (not counted). */
  paidTo: LocalDay
}

/** What an account changes by. Positive is more. */
export interface AccountDelta {
  heldMilli: Milli
  spentMilli: Milli
}

/** A budget for people to read. `share` is how much of the limit is held or spent, from 0 to 1. */
export interface BudgetOverview {
  limitMilli: Milli
  heldMilli: Milli
  spentMilli: Milli
  leftMilli: Milli
  share: number
}

export function emptyAccount(code: string): Account {
  return { id: code, heldMilli: 0, spentMilli: 0 }
}

/** What may still be held. Below zero only after the site's file has lowered the limit under what stands on it. */
export function left(rule: BudgetRule, account: Account): Milli {
  assert(rule.code === account.id, 'a budget is read with its own account')
  return checked(rule.limit - account.heldMilli - account.spentMilli)
}

/**
 * Holds money until it is spent or released. Nothing can be held at any time, also on a budget that is used up.
 * @throws Refusal `budget_exhausted` when less is left than is needed.
 */
export function hold(rule: BudgetRule, account: Account, milli: Milli, currency: string): Account {
  assertAmount(milli)
  if (milli > 0 && milli > left(rule, account)) throw exhausted(rule, account, milli, currency)
  return applyDelta(account, { heldMilli: milli, spentMilli: 0 })
}

/** Gives back money that was held and is not needed. */
export function release(account: Account, milli: Milli): Account {
  assertAmount(milli)
  return applyDelta(account, { heldMilli: 0 - milli, spentMilli: 0 })
}

/** Moves money from held to spent. Only what is held can be spent. */
export function spend(account: Account, milli: Milli): Account {
  assertAmount(milli)
  return applyDelta(account, { heldMilli: 0 - milli, spentMilli: milli })
}

/** The account after a change, such as what `settle` says. */
export function applyDelta(account: Account, delta: AccountDelta): Account {
  const heldMilli = checked(account.heldMilli + delta.heldMilli)
  const spentMilli = checked(account.spentMilli + delta.spentMilli)
  assert(heldMilli >= 0 && spentMilli >= 0, 'no more is spent or released than is held')
  return { ...account, heldMilli, spentMilli }
}

export function overview(rule: BudgetRule, account: Account): BudgetOverview {
  const { heldMilli, spentMilli } = account
  return {
    limitMilli: rule.limit,
    heldMilli,
    spentMilli,
    leftMilli: left(rule, account),
    share: shareOf(heldMilli + spentMilli, rule.limit),
  }
}

/** Whether a cost is so small that no approver is asked: strictly below the rule's amount. With 0 nothing is. */
export function autoApproves(rule: BudgetRule, totalMilli: Milli): boolean {
  return totalMilli < rule.autoApproveBelow
}

/** The commitment for a machine whose money was held. */
export function commit(facts: {
  machine: string
  budget: string
  createdDay: LocalDay
  paidTo: LocalDay
  heldMilli: Milli
}): Commitment {
  assertAmount(facts.heldMilli)
  assert(facts.createdDay < facts.paidTo, 'a machine is paid for its first day at least')
  const { machine, ...rest } = facts
  return { id: machine, ...rest, spentMilli: 0 }
}

/** More money held for a machine: for more days, or for the same days at a larger size. */
export function topUp(commitment: Commitment, more: { heldMilli: Milli; paidTo: LocalDay }): Commitment {
  assertAmount(more.heldMilli)
  assert(more.paidTo >= commitment.paidTo, 'days that are paid stay paid')
  return { ...commitment, heldMilli: checked(commitment.heldMilli + more.heldMilli), paidTo: more.paidTo }
}

/**
 * Closes a commitment at its machine's end: what the machine owes moves to spent, the rest of what was held is released.
 * `owedMilli` is for its whole life, what was spent before included. What was approved is the most that is taken, and
 * what was spent before stays spent. Settling again changes nothing.
 */
export function settle(
  commitment: Commitment,
  owedMilli: Milli,
): { commitment: Commitment; delta: AccountDelta } {
  assertAmount(owedMilli)
  const due = Math.min(commitment.heldMilli, Math.max(0, owedMilli - commitment.spentMilli))
  return {
    commitment: { ...commitment, heldMilli: 0, spentMilli: checked(commitment.spentMilli + due) },
    delta: { heldMilli: 0 - commitment.heldMilli, spentMilli: due },
  }
}

function exhausted(rule: BudgetRule, account: Account, milli: Milli, currency: string): Refusal {
  const leftMilli = left(rule, account)
  const stands =
    leftMilli < 0
      ? `is ${formatMoney(0 - leftMilli)} ${currency} over its limit`
      : `has ${formatMoney(leftMilli)} ${currency} left`
  const holders = `${rule.holders.length === 1 ? 'holder' : 'holders'} ${list(rule.holders)}`
  const detail = `${rule.code} ${stands} and this needs ${formatMoney(milli)} ${currency}. Its ${holders} can raise it.`
  return new Refusal('budget_exhausted', detail, { about: rule.code })
}

/** A budget of nothing counts as full once anything stands on it. */
function shareOf(used: Milli, limit: Milli): number {
  if (used === 0) return 0
  return used >= limit ? 1 : used / limit
}

function assertAmount(milli: Milli): void {
  assert(checked(milli) >= 0, 'money is held, spent and released in amounts of zero or more')
}
