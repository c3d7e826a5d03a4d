import {
  type Account,
  applyDelta,
  type BudgetRule,
  emptyAccount,
  hold,
  release,
  settle,
} from '../../pricing/budget.ts'
import type { Instant } from '../base/clock.ts'
import { Refusal } from '../base/errors.ts'
import { list } from '../base/text.ts'
import type { Machine } from '../machines/machine.ts'
import type { ReadTransaction, Transaction } from '../store/store.ts'
import { costOf } from './shapes/machine.ts'
import type { Site } from './site.ts'

interface Books {
  tx: Transaction
  site: Site
  now: Instant
}

/** @throws Refusal `unknown_budget`. */
export function budgetNamed(site: Site, code: string): BudgetRule {
  const rule = site.budgets.find((known) => known.code === code)
  if (rule !== undefined) return rule
  const codes = site.budgets.map((known) => known.code)
  throw new Refusal('unknown_budget', `There is no budget ${code}. There are ${list(codes)}.`, {
    suggestions: codes,
  })
}

export async function accountOf(tx: ReadTransaction, code: string): Promise<Account> {
  return (await tx.accounts.get(code)) ?? emptyAccount(code)
}

/** Holds money on a budget. @throws Refusal `unknown_budget`, `budget_exhausted`. */
export async function holdOn({ tx, site }: Books, code: string, milli: number): Promise<void> {
  const rule = budgetNamed(site, code)
  await tx.accounts.put(hold(rule, await accountOf(tx, code), milli, site.currency))
}

export async function releaseOn({ tx }: Books, code: string, milli: number): Promise<void> {
  await tx.accounts.put(release(await accountOf(tx, code), milli))
}

/** Closes the books on a machine: what it cost is spent, the rest of what was held for it comes back. */
export async function settleMachine(books: Books, machine: Machine, how: 'owed' | 'nothing'): Promise<void> {
  const { tx, now, site } = books
  const commitment = await tx.commitments.get(machine.id)
  if (commitment === undefined) return
  const owed = how === 'nothing' ? 0 : costOf(machine, now, site)
  const { delta } = settle(commitment, owed)
  await tx.accounts.put(applyDelta(await accountOf(tx, commitment.budget), delta))
  await tx.commitments.remove(commitment.id)
}
