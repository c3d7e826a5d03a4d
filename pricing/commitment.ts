import { assert } from '../src/base/errors.ts'
import { addDays, type LocalDay } from '../src/base/period.ts'
import type { AccountDelta } from './budget.ts'
import { byAccount, type Periodic } from './budget-period.ts'
import { checked, type Milli } from './money.ts'
import { type Order, quote } from './quote.ts'
import type { Promised } from './promised.ts'
import type { Tariff, Term } from './tariff.ts'

/** Money held on one account. */
export interface Hold {
  account: string
  milli: Milli
}

/**
 * What is promised and paid for one machine, from its approval to its end, and kept after that. `id` is its name. A session
 * on a desktop that is paid for has one of its own, under its id.
 */
export interface Commitment {
  id: string
  /** The machine's handle, which is never used again, though its name may be. */
  ref: string
  /** Who pays from now on. */
  budget: string
  createdDay: LocalDay
  /** The day that its free days are counted from: earlier than its creation where it follows one of the same name. */
  freeFrom: LocalDay
  /** Days before this one are charged, or were nobody's to pay. */
  chargedTo: LocalDay
  /** The day it is paid up to (not counted). */
  paidTo: LocalDay
  /** The class of machines whose tariffs it goes by, wherever the machine is moved; absent for the usual one. */
  priceClass?: string
  /** Days whose prices were promised; absent for one that goes by the tariffs of each day. */
  promised?: readonly Promised[]
  /** The session that it is for, where it is not for a machine. */
  lease?: { pool: string; user: string }
  /** It has no end: it is charged also beyond what it is paid to. */
  openEnded: boolean
  /** The price of its days to come, by account. */
  holds: readonly Hold[]
  /** What it was charged until now, on whichever budgets. */
  spentMilli: Milli
  /** The day it was gone; null while it is there. */
  endedOn: LocalDay | null
}

/** The commitment for a machine that was approved, with nothing held for it yet. */
export function commit(
  facts: Pick<Commitment, 'id' | 'ref' | 'budget' | 'createdDay' | 'paidTo' | 'openEnded'> &
    Partial<Pick<Commitment, 'freeFrom' | 'chargedTo' | 'promised' | 'priceClass' | 'lease'>>,
): Commitment {
  assert(facts.createdDay < facts.paidTo, 'a machine is paid for its first day at least')
  const { createdDay } = facts
  return { freeFrom: createdDay, chargedTo: createdDay, ...facts, holds: [], spentMilli: 0, endedOn: null }
}

/** What is held for a machine altogether. */
export function heldMilli({ holds }: Pick<Commitment, 'holds'>): Milli {
  return checked(holds.reduce((sum, { milli }) => sum + milli, 0))
}

/**
 * The days that are to be charged up to a day that is not counted: none before it was made or twice, none after what
 * it is paid to unless it has no end, none after the day it was gone. That day itself counts, as it was there.
 */
export function daysToCharge(commitment: Commitment, before: LocalDay): Term {
  const { chargedTo, paidTo, openEnded, endedOn } = commitment
  const ends = [before]
  if (!openEnded) ends.push(paidTo)
  if (endedOn !== null) ends.push(addDays(endedOn, 1))
  const to = ends.reduce((a, b) => (a < b ? a : b))
  return { from: chargedTo, to: to > chargedTo ? to : chargedTo }
}

/** The first day that is not charged, for finding whose day has passed; null where none is to come. */
export function dueKey({ chargedTo, paidTo, openEnded, endedOn }: Commitment): LocalDay | null {
  return endedOn === null && (openEnded || chargedTo < paidTo) ? chargedTo : null
}

/** What an order costs, by account of its budget. */
export function holdsFor(order: Order, budget: Periodic, tariffs: readonly Tariff[]): Hold[] {
  return byAccount(order, budget).map(({ account, from, to }) => ({
    account,
    milli: quote({ ...order, from, to }, tariffs).totalMilli,
  }))
}

/** Holds with one entry for each account, and none of nothing. */
export function gathered(holds: readonly Hold[]): Hold[] {
  const sums = new Map<string, Milli>()
  for (const { account, milli } of holds) sums.set(account, checked((sums.get(account) ?? 0) + milli))
  return [...sums].map(([account, milli]) => ({ account, milli })).filter(({ milli }) => milli !== 0)
}

/** The commitment after a charge on an account: what was held for it there goes, and no more than that. */
export function draw(commitment: Commitment, charged: readonly Hold[]): Commitment {
  const drawn = new Map(gathered(charged).map(({ account, milli }) => [account, milli]))
  const holds = commitment.holds.map(({ account, milli }) => ({
    account,
    milli: Math.max(0, milli - Math.max(0, drawn.get(account) ?? 0)),
  }))
  const spentMilli = [...drawn.values()].reduce((sum, milli) => sum + milli, commitment.spentMilli)
  return { ...commitment, holds: gathered(holds), spentMilli: checked(spentMilli) }
}

/** What accounts change by when holds become others and charges are booked. */
export function accountDeltas(
  before: readonly Hold[],
  after: readonly Hold[],
  charged: readonly Hold[],
): Map<string, AccountDelta> {
  const deltas = new Map<string, AccountDelta>()
  const add = (account: string, held: Milli, spent: Milli): void => {
    const { heldMilli, spentMilli } = deltas.get(account) ?? { heldMilli: 0, spentMilli: 0 }
    deltas.set(account, { heldMilli: checked(heldMilli + held), spentMilli: checked(spentMilli + spent) })
  }
  for (const { account, milli } of before) add(account, 0 - milli, 0)
  for (const { account, milli } of after) add(account, milli, 0)
  for (const { account, milli } of charged) add(account, 0, milli)
  return new Map([...deltas].filter(([, delta]) => delta.heldMilli !== 0 || delta.spentMilli !== 0))
}
