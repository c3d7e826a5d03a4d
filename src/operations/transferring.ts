import type { Hold } from '../../pricing/commitment.ts'
import { chargedTerm, quote, type Quote } from '../../pricing/quote.ts'
import type { Instant } from '../base/clock.ts'
import { Refusal, refuse } from '../base/errors.ts'
import { type LocalDay, localDay, startOfDay } from '../base/period.ts'
import { redrawCards, tell } from '../jobs/outbox.ts'
import type { Machine } from '../machines/machine.ts'
import { nextAttention } from '../machines/expiry.ts'
import { allocate, promisedSize } from '../machines/usage.ts'
import type { Ask } from '../requests/request.ts'
import type { ReadTransaction } from '../store/store.ts'
import { holdFor, holdsToCome, openCommitment } from './holding.ts'
import type { Context } from './operation.ts'
import { tariffsOf } from './promising.ts'
import type { Site } from './site.ts'

/** A machine that somebody has and a budget pays, as only such a one can be handed on. */
export interface Owned extends Machine {
  owner: string
  budget: string
}

/**
 * Whether a machine can be handed on at all.
 * @throws Refusal `wrong_state` for a desktop, for what nobody has or pays yet, and for what is gone or going.
 */
export function checkTransferable(machine: Machine): asserts machine is Owned {
  const { id, state, pool, owner, budget } = machine
  if (pool !== null) refuse('wrong_state', `${id} is a desktop of pool ${pool}; nobody pays for it alone.`)
  if (state === 'deleted' || state === 'failed' || state === 'deleting') {
    refuse('wrong_state', `${id} is ${state}; there is nothing left to hand on.`)
  }
  if (owner === null || budget === null) {
    refuse('wrong_state', `${id} has no owner or no budget yet. Claim it first.`)
  }
}

/** Whether a machine is still as it was when its transfer was asked for. @throws Refusal `wrong_state`. */
export function checkUnchanged(
  machine: Machine,
  { was }: Extract<Ask, { kind: 'transfer' }>,
  request: string,
): void {
  checkTransferable(machine)
  if (machine.owner === was.owner && machine.budget === was.budget) return
  const stands = `${machine.id} belongs to ${machine.owner} and is paid from ${machine.budget} meanwhile.`
  refuse('wrong_state', `${stands} Deny ${request}; it can be asked for again.`)
}

/** What a machine costs from a day on, today unless said otherwise: the days that whoever takes it over pays for. */
export async function priceOfTransfer(
  { tx, now, site }: { tx: ReadTransaction; now: Instant; site: Site },
  machine: Machine,
  first?: LocalDay,
): Promise<Quote> {
  const today = first ?? localDay(now, site.timezone)
  const commitment = await openCommitment({ tx }, machine)
  const createdDay = commitment?.createdDay ?? localDay(machine.createdAt, site.timezone)
  const { freeFrom = createdDay, chargedTo = today, paidTo = today } = commitment ?? {}
  const from = [today, chargedTo, createdDay].reduce((a, b) => (a > b ? a : b))
  const term = chargedTerm({ createdDay, from, to: paidTo > from ? paidTo : from })
  return quote(
    { size: promisedSize(machine), count: 1, createdDay, freeFrom, ...term },
    tariffsOf(site, commitment),
  )
}

/** What another budget would have to hold for a machine. */
export async function holdsOn(
  { tx, now, site }: { tx: ReadTransaction; now: Instant; site: Site },
  machine: Machine,
  budget: string,
): Promise<Hold[]> {
  const commitment = await openCommitment({ tx }, machine)
  if (commitment === undefined) return []
  const today = localDay(now, site.timezone)
  const holds = holdsToCome(allocate(machine, { budget }, now), { ...commitment, budget }, site, today)
  return holds.filter(({ account }) => account.split('|')[0] === budget)
}

/**
 * Hands a machine on from today: today is the first day that the new budget pays, and what is held for the days to come
 * moves there. Days before stay whose they were, also those that are still to be charged.
 * @throws Refusal `budget_exhausted`.
 */
export async function transfer(
  context: Pick<Context, 'tx' | 'now' | 'ids' | 'site'>,
  machine: Machine,
  { owner, budget, by }: { owner: string; budget: string; by: string },
): Promise<Machine> {
  const { tx, now } = context
  const next = allocate(machine, { owner, budget }, now)
  await tx.machines.put(next)
  const commitment = await openCommitment(context, machine)
  if (commitment !== undefined) await holdFor(context, next, { ...commitment, budget }, 'checked')
  const people = [...new Set([machine.owner ?? owner, owner])].filter((user) => user !== by)
  const about = { kind: 'machine', id: machine.id } as const
  const text = `${by} handed on ${machine.id}: it belongs to ${owner} and is paid from ${budget} from today on.`
  if (people.length > 0) await tell(context, { kind: 'machine-changed', about, to: people, text })
  await redrawCards(context, `machine:${machine.id}`)
  return next
}

type Desk = Pick<Context, 'tx' | 'now' | 'ids' | 'site'>

/**
 * Hands a machine on from a day: at once where that has come, else it is kept with the machine until then. One that was
 * agreed on before for a later day is replaced.
 * @throws Refusal `budget_exhausted`.
 */
export async function handOn(
  desk: Desk,
  machine: Machine,
  facts: { owner: string; budget: string; by: string; from?: LocalDay | undefined },
): Promise<Machine> {
  const { from, ...handover } = facts
  const { handover: _, ...free } = machine
  const zone = desk.site.timezone
  if (from === undefined || from <= localDay(desk.now, zone)) return transfer(desk, free, handover)
  const agreed = { ...free, handover: { at: startOfDay(from, zone), ...handover } }
  const attentionAt = nextAttention(agreed, desk.site.policies.machines, desk.now, zone)
  await desk.tx.machines.put({ ...agreed, attentionAt })
  await redrawCards(desk, `machine:${machine.id}`)
  return { ...agreed, attentionAt }
}

/** Whether the day of an agreed change has come. */
export function isHandoverDue({ handover }: Machine, now: Instant): boolean {
  return handover !== undefined && handover !== null && handover.at <= now
}

/** Carries out a change whose day has come. What cannot be any more is told to both, and the machine stays as it was. */
export async function carryOutHandover(desk: Desk, machine: Machine): Promise<void> {
  const { handover, ...free } = machine
  if (handover === undefined || handover === null) return
  const zone = desk.site.timezone
  const rested = { ...free, attentionAt: nextAttention(free, desk.site.policies.machines, desk.now, zone) }
  await desk.tx.machines.put(rested)
  try {
    checkTransferable(rested)
    await transfer(desk, rested, handover)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    await desk.tx.machines.put(rested)
    const about = { kind: 'machine', id: machine.id } as const
    const text = `${machine.id} should have been handed on to ${handover.owner} on ${handover.budget} today, and was not: ${error.message}`
    const people = [machine.owner, handover.owner, handover.by].filter((user) => user !== null)
    await tell(desk, { kind: 'machine-failed', about, to: [...new Set(people)], text })
  }
}
