import { z } from 'zod'
import { assert, Refusal } from '../src/base/errors.ts'
import { isLocalDay, type LocalDay } from '../src/base/period.ts'
import { list } from '../src/base/text.ts'
import { BudgetPeriod } from './budget-period.ts'
import { checked, formatMoney, isMoney, type Milli, parseMoney } from './money.ts'

const Money = z
  .string()
  .refine(isMoney, 'an amount with at most three decimals in quotes, such as "2000.00"')
  .transform(parseMoney)

const Day = z.string().refine(isLocalDay, 'a day, such as 2026-01-31')

/** Somebody who decides in the holders' place: from one day to another, both counted. */
const DatedDelegate = z
  .strictObject({ user: z.string().toLowerCase(), from: Day.optional(), to: Day.optional() })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    error: 'from should not be after to',
    path: ['to'],
  })
export type DatedDelegate = z.infer<typeof DatedDelegate>

/** A budget code as the site's file describes it. Money is in milli-units once parsed. */
export const BudgetRule = z
  .strictObject({
    code: z.string().regex(/^[A-Z][A-Z0-9-]{0,19}$/, 'a budget code: capital letters, digits and dashes'),
    title: z.string().min(1).max(80),
    holders: z.array(z.string()).min(1),
    members: z.array(z.string()).default([]),
    /** Users or groups, each for good or with the days on which they are. */
    delegates: z.array(z.union([z.string(), DatedDelegate])).default([]),
    /** What the limit counts for: for ever, or anew in each period of the calendar. */
    period: BudgetPeriod.default('total'),
    limit: Money,
    autoApproveBelow: Money.default(0),
    /** From this day on nothing new is put on it; what stands on it is still charged. */
    closed: Day.optional(),
  })
  .transform(({ delegates, ...rule }) => ({
    ...rule,
    delegates: delegates.filter((delegate) => typeof delegate === 'string'),
    datedDelegates: delegates.filter((delegate) => typeof delegate !== 'string'),
  }))
export type BudgetRule = z.infer<typeof BudgetRule>

/** Whether a delegate is one on a day. */
export function isDelegateOn({ from, to }: DatedDelegate, day: LocalDay): boolean {
  return (from === undefined || from <= day) && (to === undefined || day <= to)
}

/** Users and groups who decide in the holders' place on a day. */
export function delegatesOn(rule: BudgetRule, day: LocalDay): string[] {
  const dated = rule.datedDelegates.filter((delegate) => isDelegateOn(delegate, day))
  return [...rule.delegates, ...dated.map(({ user }) => user)]
}

/**
 * What stands on a budget in one period. held + spent + left = limit, always. `id` is the code, and behind it the period
 * where the limit has one: see `accountId`.
 */
export interface Account {
  id: string
  heldMilli: Milli
  spentMilli: Milli
  /** The share of which its holders were told last, and the limit it was a share of. */
  warned?: { share: Warning; limitMilli: Milli }
}

/** Shares of the limit, in per cent, at which holders are told. */
export type Warning = 80 | 100

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

export function emptyAccount(id: string): Account {
  return { id, heldMilli: 0, spentMilli: 0 }
}

/** What may still be held. Below zero only after the site's file has lowered the limit under what stands on it. */
export function left(rule: BudgetRule, account: Account): Milli {
  assert(rule.code === account.id.split('|')[0], 'a budget is read with its own account')
  return checked(rule.limit - account.heldMilli - account.spentMilli)
}

/**
 * Whether so much can be held. Nothing can at any time, also on a budget that is used up.
 * @throws Refusal `budget_exhausted` when less is left than is needed.
 */
export function checkLeft(rule: BudgetRule, account: Account, milli: Milli, currency: string): void {
  assert(checked(milli) >= 0, 'money is held in amounts of zero or more')
  if (milli > 0 && milli > left(rule, account)) throw exhausted(rule, account, milli, currency)
}

/** The account after a change. What was spent can fall under nothing: something of an earlier period is taken back. */
export function applyDelta(account: Account, delta: AccountDelta): Account {
  const heldMilli = checked(account.heldMilli + delta.heldMilli)
  const spentMilli = checked(account.spentMilli + delta.spentMilli)
  assert(heldMilli >= 0, 'no more is released than is held')
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

/**
 * The share that the holders of a budget are to be told of now, once each for a limit and a period: the higher one where
 * both are passed at once. A budget of nothing warns of nothing.
 */
export function warningDue(rule: BudgetRule, account: Account): Warning | null {
  const used = account.heldMilli + account.spentMilli
  if (rule.limit === 0) return null
  const told = account.warned?.limitMilli === rule.limit ? account.warned.share : 0
  const passed = ([100, 80] as const).find((share) => used * 100 >= rule.limit * share)
  return passed !== undefined && passed > told ? passed : null
}

/** The account once its holders have been told. */
export function warned(rule: BudgetRule, account: Account, share: Warning): Account {
  return { ...account, warned: { share, limitMilli: rule.limit } }
}

function exhausted(rule: BudgetRule, account: Account, milli: Milli, currency: string): Refusal {
  const leftMilli = left(rule, account)
  const stands =
    leftMilli < 0
      ? `is ${formatMoney(0 - leftMilli)} ${currency} over its limit`
      : `has ${formatMoney(leftMilli)} ${currency} left`
  const period = account.id.split('|')[1]
  const when = period === undefined ? '' : ` in ${period}`
  const holders = `${rule.holders.length === 1 ? 'holder' : 'holders'} ${list(rule.holders)}`
  const detail = `${rule.code} ${stands}${when} and this needs ${formatMoney(milli)} ${currency}. Its ${holders} can raise it.`
  return new Refusal('budget_exhausted', detail, { about: rule.code })
}

/** A budget of nothing counts as full once anything stands on it. */
function shareOf(used: Milli, limit: Milli): number {
  if (used === 0) return 0
  return used >= limit ? 1 : used / limit
}
