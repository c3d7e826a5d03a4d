import {
  type Account,
  applyDelta,
  type BudgetRule,
  checkLeft,
  emptyAccount,
  left,
  warned,
  warningDue,
} from '../../pricing/budget.ts'
import type { Periodic } from '../../pricing/budget-period.ts'
import { accountDeltas, type Commitment, gathered, type Hold } from '../../pricing/commitment.ts'
import { formatMoney } from '../../pricing/money.ts'
import type { Instant } from '../base/clock.ts'
import { Refusal } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import { list } from '../base/text.ts'
import type { Person } from '../identity/person.ts'
import { type Desk, tell } from '../jobs/outbox.ts'
import { checkOpen } from '../requests/approval.ts'
import type { ReadTransaction } from '../store/store.ts'
import type { Site } from './site.ts'

/** What is needed to keep the books. */
export interface Books extends Desk {
  site: Site
}

/** @throws Refusal `unknown_budget`. */
export function budgetNamed(site: Site, code: string): BudgetRule {
  const rule = ruleOf(site, code)
  if (rule !== undefined) return rule
  const codes = site.budgets.map((known) => known.code)
  throw new Refusal('unknown_budget', `There is no budget ${code}. There are ${list(codes)}.`, {
    suggestions: codes,
  })
}

/**
 * The same, where something new is to be put on it: a request, more time, more room, a machine of another budget.
 * @throws Refusal `unknown_budget` also when it is closed.
 */
export function openBudget(
  { site, now }: { site: Site; now: Instant },
  code: string,
  person: Pick<Person, 'user' | 'groups'>,
): BudgetRule {
  const rule = budgetNamed(site, code)
  checkOpen(person, rule, site.budgets, { today: localDay(now, site.timezone) })
  return rule
}

/** A budget as far as accounts care, also when the site's file no longer names it: what stands on it is still paid. */
export function periodicOf(site: Site, code: string): Periodic {
  return ruleOf(site, code) ?? { code, period: 'total' }
}

export async function accountOf(tx: ReadTransaction, id: string): Promise<Account> {
  return (await tx.accounts.get(id)) ?? emptyAccount(id)
}

/** Whether accounts have room for what is to be held. @throws Refusal `budget_exhausted` about the first that has not. */
export async function checkHolds(
  { tx, site }: { tx: ReadTransaction; site: Site },
  rule: BudgetRule,
  holds: readonly Hold[],
): Promise<void> {
  for (const { account, milli } of gathered(holds)) {
    checkLeft(rule, await accountOf(tx, account), milli, site.currency)
  }
}

/**
 * Saves a commitment and brings its accounts in line, both with what is held now and with what was charged.
 * `checked` refuses what a budget has no room for; what has happened already is booked `anyhow`.
 * @throws Refusal `budget_exhausted`.
 */
export async function saveCommitment(
  books: Books,
  next: Commitment,
  change: { before: readonly Hold[]; charged?: readonly Hold[]; how: 'checked' | 'anyhow' },
): Promise<void> {
  await books.tx.commitments.put(next)
  await changeAccounts(books, change.before, next.holds, change)
}

/** Brings accounts in line when the holds of a commitment become others. */
export async function changeAccounts(
  books: Books,
  before: readonly Hold[],
  after: readonly Hold[],
  { charged = [], how }: { charged?: readonly Hold[]; how: 'checked' | 'anyhow' },
): Promise<void> {
  const { tx, site } = books
  for (const [id, delta] of accountDeltas(before, after, charged)) {
    const account = await accountOf(tx, id)
    const rule = ruleOf(site, id.split('|')[0] ?? id)
    const more = delta.heldMilli + delta.spentMilli
    if (rule !== undefined && how === 'checked' && more > 0) checkLeft(rule, account, more, site.currency)
    const changed = applyDelta(account, delta)
    await tx.accounts.put(rule === undefined ? changed : await withWarning(books, rule, changed))
  }
}

/** Tells the holders once when a budget is nearly or wholly used. */
async function withWarning(books: Books, rule: BudgetRule, account: Account): Promise<Account> {
  const share = warningDue(rule, account)
  if (share === null) return account
  const { currency } = books.site
  const leftMilli = left(rule, account)
  const used = `${formatMoney(rule.limit - leftMilli)} of ${formatMoney(rule.limit)} ${currency}`
  const period = account.id.split('|')[1]
  const when = period === undefined ? '' : ` in ${period}`
  const rest =
    leftMilli > 0 ? `${formatMoney(leftMilli)} ${currency} are left${when}.` : `Nothing is left${when}.`
  await tell(books, {
    kind: 'budget-warning',
    about: { kind: 'budget', id: rule.code },
    to: rule.holders,
    text: `${share} % of ${rule.code} are held or spent: ${used}. ${rest}`,
  })
  return warned(rule, account, share)
}

function ruleOf(site: Site, code: string): BudgetRule | undefined {
  return site.budgets.find((known) => known.code === code)
}
