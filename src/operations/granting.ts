import { commit } from '../../pricing/commitment.ts'
import { extensionOrder, quote, type Quote } from '../../pricing/quote.ts'
import type { Instant } from '../base/clock.ts'
import { assert, notFound, refuse } from '../base/errors.ts'
import { type LocalDay, localDay } from '../base/period.ts'
import { enqueue, redrawCards, tell } from '../jobs/outbox.ts'
import { extend, nextAttention } from '../machines/expiry.ts'
import { type Machine, newMachine } from '../machines/machine.ts'
import { promisedSize } from '../machines/usage.ts'
import { isClosedOn } from '../requests/approval.ts'
import { approve, type Ask, type Decision, fulfil, type Request } from '../requests/request.ts'
import type { ReadTransaction } from '../store/store.ts'
import type { Site } from './site.ts'
import { placeAll } from './capacity.ts'
import { budgetNamed, checkHolds } from './accounts.ts'
import { policyOf } from './groups.ts'
import { holdFor, openCommitment } from './holding.ts'
import { grantLeaseTime, priceOfLeaseTime } from './lease-granting.ts'
import { checkedNames } from './names.ts'
import type { Context } from './operation.ts'
import { endOfTerm, priceNew, templateNamed } from './order.ts'
import { disksOf, placementOf } from './ordering.ts'
import { priceClassOn, prolonged, tariffsFor } from './promising.ts'
import { requoted } from './requoting.ts'
import { priceOfResize, resize } from './resizing.ts'
import { checkUnchanged, handOn, priceOfTransfer } from './transferring.ts'

type Granting = Pick<Context, 'tx' | 'now' | 'ids' | 'site'>

/**
 * Carries out an approval: checks budget and placement again, holds the money, reserves the room and leaves the work
 * behind, all in the caller's transaction. Two approvals at once meet in the state of the request: one is refused.
 * What became dearer since it was quoted is approved only by the id of the quote as it is now; and whoever says which
 * quote they were shown approves that one and no other.
 * @throws Refusal `budget_exhausted`, `no_capacity`, `already_decided`, `quote_expired`; nothing is kept then.
 */
export async function grant(
  context: Granting,
  request: Request,
  decision: Decision,
  shown?: string,
): Promise<Request> {
  checkStillOpen(context, request)
  const quoted = await requoted(context, request, await priceNow(context, request), shown)
  const approved = approve(quoted, decision)
  const granted = await carryOut(context, approved)
  await context.tx.requests.put(granted)
  await announceDecision(context, granted)
  return granted
}

function carryOut(context: Granting, request: Request): Promise<Request> {
  const { ask } = request
  switch (ask.kind) {
    case 'machines':
      return grantMachines(context, request, ask)
    case 'extension':
      return grantExtension(context, request, ask)
    case 'lease':
      return grantLeaseTime(context, request, ask)
    case 'resize':
      return grantResize(context, request, ask)
    case 'transfer':
      return grantTransfer(context, request, ask)
  }
}

/** A budget may have been closed while a request for it waited. */
function checkStillOpen({ now, site }: Granting, { id, budget, requester }: Request): void {
  const rule = site.budgets.find(({ code }) => code === budget)
  if (rule?.closed === undefined || !isClosedOn(rule, localDay(now, site.timezone))) return
  const fact = `${budget} is closed since ${rule.closed}: nothing new is put on it.`
  refuse('unknown_budget', `${fact} Deny ${id}; ${requester} can ask again for another budget.`, {
    about: budget,
  })
}

/** Tells the requester what became of it, and shows it on every copy of the card. */
export async function announceDecision(context: Granting, request: Request): Promise<void> {
  const about = { kind: 'request', id: request.id } as const
  await tell(context, { kind: 'request-decided', about, to: [request.requester] })
  await redrawCards(context, `request:${request.id}`)
}

async function grantMachines(
  context: Granting,
  request: Request,
  ask: Extract<Ask, { kind: 'machines' }>,
): Promise<Request> {
  const { now, site } = context
  const order = await orderAsked(context, request, ask)
  const { size, names, budget, endsAt } = order
  const { holds, paidTo, freeFrom, promised, priceClass } = await priceNew(context, order)
  await checkHolds(context, budgetNamed(site, budget), holds)
  const hosts = await placeAll(
    context,
    await placementOf(context, { ...ask, ...size, template: request.template }),
  )
  const createdDay = localDay(now, site.timezone)
  for (const [index, name] of names.entries()) {
    const host = hosts[index]
    assert(host !== undefined, 'there is a host for each machine')
    const place = { name, host: host.id, hypervisor: host.hypervisor, endsAt, ...disksOf(ask) }
    const machine = await orderMachine(context, request, place)
    const facts = { id: name, ref: machine.ref, budget, createdDay, paidTo, openEnded: endsAt === null }
    const commitment = commit({ ...facts, promised, priceClass, freeFrom: freeFrom.get(name) ?? createdDay })
    await holdFor(context, machine, commitment, 'checked')
  }
  return { ...request, machines: names }
}

/** What the machines of a request would be if they were made now. */
async function orderAsked(context: Granting, request: Request, ask: Extract<Ask, { kind: 'machines' }>) {
  const { cpus, memoryGb, template, budget } = request
  const stem = ask.image ?? template
  const names = await checkedNames(context, { base: ask.name, template: stem, count: ask.count })
  const endsAt = endOfTerm({ ...wishOf(ask), group: ask.group }, context)
  return { names, budget, size: { cpus, memoryGb }, endsAt, host: ask.host, group: ask.group }
}

/** What a request costs if it is carried out now. */
async function priceNow(
  context: Granting,
  request: Request,
): Promise<Pick<Quote, 'totalMilli' | 'perDayMilli' | 'lines'>> {
  const { ask } = request
  if (ask.kind === 'machines') {
    return (await priceNew(context, await orderAsked(context, request, ask))).quote
  }
  if (ask.kind === 'lease') return priceOfLeaseTime(context, ask)
  const machine = await machineAsked(context, ask.machine)
  if (ask.kind === 'extension') return priceOfExtension(context, machine, ask.until)
  if (ask.kind === 'transfer') return priceOfTransfer(context, machine, laterOf(context, ask.from))
  const { perDayMilli } = request.quote
  return { totalMilli: await priceOfResize(context, machine, ask), perDayMilli, lines: [] }
}

/** A day that has come since it was asked for counts no more: today does. */
function laterOf({ now, site }: Granting, from: LocalDay | undefined): LocalDay | undefined {
  return from !== undefined && from > localDay(now, site.timezone) ? from : undefined
}

async function machineAsked({ tx }: Granting, name: string): Promise<Machine> {
  const machine = await tx.machines.get(name)
  if (machine === undefined) throw notFound('machine', name)
  return machine
}

/** The term that a request names, as it was asked for. */
export function wishOf(ask: Extract<Ask, { kind: 'machines' }>): { until?: string; days?: number } {
  if (ask.days !== null) return { days: ask.days }
  return { until: ask.until ?? 'never' }
}

/** The machine as it will be, and the job that makes it so. */
async function orderMachine(
  context: Granting,
  request: Request,
  facts: ReturnType<typeof disksOf> & {
    name: string
    host: string
    hypervisor: string
    endsAt: Instant | null
  },
): Promise<Machine> {
  const { tx, now, ids, site } = context
  const { name, host, hypervisor, endsAt, ...disks } = facts
  const job = await orderWork(context, name, request.requester, disks)
  const machine: Machine = {
    ...newMachine({
      name,
      ref: ids.next('vm', now),
      at: now,
      template: templateNamed(site, request.template),
    }),
    ...{ cpus: request.cpus, memoryGb: request.memoryGb, host, hypervisor, expiresAt: endsAt, job },
    ...disks,
    description: request.description,
    purpose: request.purpose,
    owner: request.requester,
    administrators: request.administrators,
    budget: request.budget,
    request: request.id,
  }
  const attentionAt = nextAttention(machine, site.policies.machines, now, site.timezone)
  const ordered = { ...machine, attentionAt }
  await tx.machines.put(ordered)
  return ordered
}

/** The job that makes a machine; where its image is still being made, nothing yet: that job sees to it then. */
async function orderWork(
  context: Granting,
  name: string,
  by: string,
  { image, data }: ReturnType<typeof disksOf>,
): Promise<string | null> {
  const id = image ?? data
  const found = id === undefined ? undefined : await context.tx.images.get(id)
  if (found?.state === 'making') {
    await context.tx.images.put({ ...found, waiting: [...found.waiting, name] })
    return null
  }
  const subject = `machine:${name}`
  return (await enqueue(context, 'provision-machine', { machine: name }, { subject, by })).id
}

async function grantExtension(
  context: Granting,
  request: Request,
  ask: Extract<Ask, { kind: 'extension' }>,
): Promise<Request> {
  const machine = await machineAsked(context, ask.machine)
  await moveEnd(context, machine, ask.until)
  return { ...fulfil(request, context.now), machines: [machine.id] }
}

async function grantResize(
  context: Granting,
  request: Request,
  ask: Extract<Ask, { kind: 'resize' }>,
): Promise<Request> {
  const machine = await machineAsked(context, ask.machine)
  const { cpus, memoryGb } = ask
  await resize(context, machine, { cpus, memoryGb, by: request.requester, request: request.id })
  return { ...request, machines: [machine.id] }
}

async function grantTransfer(
  context: Granting,
  request: Request,
  ask: Extract<Ask, { kind: 'transfer' }>,
): Promise<Request> {
  const machine = await machineAsked(context, ask.machine)
  checkUnchanged(machine, ask, request.id)
  const { requester: by, budget } = request
  await handOn(context, machine, { owner: ask.owner, budget, by, from: ask.from })
  return { ...fulfil(request, context.now), machines: [machine.id] }
}

/** Moves a machine's end: holds the price of the days that are added, and starts its reminders anew. */
export async function moveEnd(
  context: Granting,
  machine: Machine,
  until: Instant,
): Promise<{ machine: Machine; extra: Quote }> {
  const { tx, now, site } = context
  const next = extend(machine, until, await policyOf(context, machine), now, site.timezone)
  const extra = await priceOfExtension(context, machine, until)
  const commitment = await openCommitment(context, machine)
  if (commitment !== undefined) {
    const to = localDay(until, site.timezone)
    await holdFor(context, next, { ...prolonged(commitment, to, context), openEnded: false }, 'checked')
  }
  await tx.machines.put(next)
  await redrawCards(context, `machine:${machine.id}`)
  return { machine: next, extra }
}

/** What more time costs: from where the machine is paid to, with free days counted from its creation. */
export async function priceOfExtension(
  { tx, now, site }: { tx: ReadTransaction; now: Instant; site: Site },
  machine: Machine,
  until: Instant,
): Promise<Quote> {
  const zone = site.timezone
  const commitment = await openCommitment({ tx }, machine)
  const createdDay = commitment?.createdDay ?? localDay(machine.createdAt, zone)
  const freeFrom = commitment?.freeFrom ?? createdDay
  const paidTo = commitment?.paidTo ?? localDay(machine.expiresAt ?? until, zone)
  const size = promisedSize(machine)
  const order = extensionOrder({ size, createdDay, freeFrom, paidTo }, localDay(until, zone))
  const priceClass = commitment?.priceClass ?? (await priceClassOn(tx, machine.host))
  return quote(order, tariffsFor(order, priceClass, { now, site }))
}
