import { instant, type Instant, millis, plusMillis } from '../base/clock.ts'
import { isPersons } from '../../broker/asker.ts'
import { dueOf, termsOf } from '../../broker/lease-terms.ts'
import { type EndReason, type Lease, warnLease } from '../../broker/lease.ts'
import { addReminder, type DueReminder, expiryDecision, nextAttention } from '../machines/expiry.ts'
import { type Machine, machineStates } from '../machines/machine.ts'
import { move } from '../base/states.ts'
import { finishLease, poolNamed, type PoolDesk } from '../operations/desktops.ts'
import { carryOutHandover, isHandoverDue } from '../operations/transferring.ts'
import { attendRequest, fallbackPeople } from './attend-request.ts'
import type { ReadTransaction, Transaction } from '../store/store.ts'
import { bringBack, isBackDue } from './bring-back.ts'
import { deskOf } from './facts.ts'
import { enqueue, tell } from './outbox.ts'
import { remindOwner } from './remind-owner.ts'
import type { Sweep } from './schedule.ts'
import type { Tools } from './trade.ts'

/** How many things one transaction of a sweep takes on. */
const batch = 50

/** A sweep over documents that carry the next instant at which something is due about them. */
function attentionSweep<T, A>(
  name: string,
  collection: 'machines' | 'requests' | 'leases',
  due: (tx: ReadTransaction, now: Instant) => Promise<T[]>,
  attend: (desk: PoolDesk, thing: T, asked: A) => Promise<void>,
  ask: (tools: Tools, waiting: readonly T[]) => Promise<A>,
): Sweep {
  return {
    name,
    next: async (tx) => (await tx[collection].lowest('attention')) ?? null,
    async run(tools) {
      const waiting = await tools.store.read((tx) => due(tx, tools.clock.now()))
      if (waiting.length === 0) return false
      const asked = await ask(tools, waiting)
      await tools.store.transact(async (tx) => {
        const desk = deskOf(tools, tx)
        for (const thing of await due(tx, desk.now)) await attend(desk, thing, asked)
      })
      return true
    },
  }
}

export const sweepExpiry = attentionSweep(
  'sweep-expiry',
  'machines',
  (tx, now) => tx.machines.upTo('attention', now, batch),
  attendMachine,
  nothing,
)

export const sweepRequests = attentionSweep(
  'sweep-requests',
  'requests',
  (tx, now) => tx.requests.upTo('attention', now, batch),
  attendRequest,
  fallbackPeople,
)

export const sweepLeases = attentionSweep(
  'sweep-leases',
  'leases',
  (tx, now) => tx.leases.upTo('attention', now, batch),
  attendLease,
  nothing,
)

/** Where nobody outside has to be asked first. */
async function nothing(): Promise<void> {
  // There is no question.
}

async function attendMachine(desk: PoolDesk, machine: Machine): Promise<void> {
  const { tx, now, site } = desk
  if (isBackDue(machine, now)) return bringBack(desk, machine)
  if (isHandoverDue(machine, now)) return carryOutHandover(desk, machine)
  const policy = site.policies.machines
  const decision = expiryDecision(machine, policy, now, site.timezone)
  const subject = `machine:${machine.id}`
  if (decision.kind === 'wait') {
    const attentionAt = nextAttention(machine, policy, now, site.timezone)
    // Whatever the decision says now, it cannot be due before the next look.
    const later = attentionAt !== null && attentionAt <= now ? plusMillis(now, 1000) : attentionAt
    return tx.machines.put({ ...machine, attentionAt: later })
  }
  // Its notice may have been delivered before it has come to rest: the job that brings it there looks further.
  if (decision.kind === 'expire' && (await isExpiring(tx, machine))) {
    return tx.machines.put({ ...machine, attentionAt: null })
  }
  if (decision.kind === 'delete') {
    const reason = 'its end and its grace have passed'
    const job = await enqueue(
      desk,
      'delete-machine',
      { machine: machine.id, reason },
      { subject, by: 'jackdaw' },
    )
    const deleting = move(machineStates, machine, 'deleting', { at: now, reason })
    return tx.machines.put({ ...deleting, job: job.id, attentionAt: null })
  }
  const reminding = await reminded(desk, machine, decision)
  if (decision.kind === 'remind') return tx.machines.put(reminding)
  const input = { machine: machine.id, end: decision.reminder.end }
  const job = await enqueue(desk, 'expire-machine', input, { subject, by: 'jackdaw' })
  await tx.machines.put({ ...reminding, job: job.id, attentionAt: null })
}

/** The machine with its people told. While it cannot be put to rest it comes here again, and they know already. */
async function reminded(
  desk: PoolDesk,
  machine: Machine,
  decision: Extract<ReturnType<typeof expiryDecision>, { reminder: DueReminder }>,
): Promise<Machine> {
  const { now, site } = desk
  const { kind, reminder } = decision
  const isTold = machine.reminders.some(({ end, dueAt }) => end === reminder.end && dueAt === reminder.dueAt)
  if (kind === 'expire' && isTold) return machine
  const to = peopleOf(machine, desk)
  const notice =
    kind === 'remind' && reminder.end > now
      ? await remindOwner(desk, machine, to, reminder.end)
      : await tell(desk, {
          kind: kind === 'expire' ? 'machine-expired' : 'machine-expiring',
          about: { kind: 'machine', id: machine.id },
          to,
        })
  return addReminder(machine, reminder, notice.id, site.policies.machines, now, site.timezone)
}

/** Whether there is a job already that puts a machine to rest at its present end. */
async function isExpiring(tx: ReadTransaction, { id, expiresAt }: Machine): Promise<boolean> {
  const jobs = await tx.jobs.find('subject', `machine:${id}`)
  return jobs.some(
    ({ kind, input }) => kind === 'expire-machine' && 'end' in input && input.end === expiresAt,
  )
}

/** Its owner and administrators; for an orphan, the operators. */
function peopleOf(machine: Machine, { site }: PoolDesk): string[] {
  if (machine.owner === null) return [...site.roles.operator]
  return [...new Set([machine.owner, ...machine.administrators])]
}

async function attendLease(desk: PoolDesk, lease: Lease): Promise<void> {
  const { tx, now, site } = desk
  const terms = termsOf(poolNamed(site, lease.pool), site.timezone)
  for (const due of dueOf(lease, terms, now)) {
    if (due.kind === 'end') {
      await finishLease(desk, lease, await reasonOf(desk, lease, due.reason))
      return
    }
    await tx.leases.put(warnLease(lease, terms))
    if (!isPersons(lease)) continue
    await tell(desk, { kind: 'lease-ending', about: { kind: 'lease', id: lease.id }, to: [lease.user] })
  }
}

/** Where an operator has closed the pool, that is why a session's time is over. */
async function reasonOf({ tx }: PoolDesk, lease: Lease, reason: EndReason): Promise<EndReason> {
  return reason === 'expired' && (await tx.pools.get(lease.pool))?.state === 'closed' ? 'pool_closed' : reason
}

/**
 * Something that is done every so often, and has nothing that says when. Each process does it when it starts; from then on
 * those that share a store take turns.
 */
export function every(name: string, paceMillis: number, work: (tools: Tools) => Promise<void>): Sweep {
  let next: Instant = ''
  return {
    name,
    next: async (_tx, now) => (next === '' ? now : next),
    async run(tools) {
      const now = tools.clock.now()
      if (now < next) return false
      const isFirst = next === ''
      next = plusMillis(now, paceMillis)
      if (tools.store.shared) {
        const others = await tools.store.transact((tx) => takeTurn(tx, name, { now, next, isFirst }))
        if (others !== null) {
          next = others
          return false
        }
      }
      await work(tools)
      return true
    },
  }
}

/** Takes the turn until `next`, unless another process has it: then until when. */
async function takeTurn(
  tx: Transaction,
  name: string,
  { now, next, isFirst }: { now: Instant; next: Instant; isFirst: boolean },
): Promise<Instant | null> {
  const id = `sweep:${name}`
  const known = await tx.counters.get(id)
  const until = known === undefined ? '' : instant(known.value)
  // A turn that seems to last longer than any was taken by a clock that has been set back since.
  if (!isFirst && until > now && until <= next) return until
  await tx.counters.put({ id, value: millis(next) })
  return null
}

const dayMillis = 86_400_000
const keptMillis = {
  ...{ attempts: 900_000, jobs: 7 * dayMillis, answers: dayMillis },
  ...{ leases: 30 * dayMillis, demand: 70 * dayMillis },
}

/** Lets go of what nobody will ask for again. */
export const tidyUp = (paceMillis: number) =>
  every('tidy-up', paceMillis, async ({ store, clock }) => {
    await store.transact(async (tx) => {
      const now = clock.now()
      for (const { id } of await tx.sessions.upTo('expiry', now, batch)) await tx.sessions.remove(id)
      for (const { id } of await tx.vouchers.upTo('expiry', now, 500)) await tx.vouchers.remove(id)
      const old = plusMillis(now, -keptMillis.attempts)
      for (const { id } of await tx.attempts.upTo('at', old, 5000)) await tx.attempts.remove(id)
      await drop(tx, now)
    })
  })

async function drop(tx: Transaction, now: Instant): Promise<void> {
  const before = (age: number): Instant => plusMillis(now, -age)
  for (const { id } of await tx.jobs.upTo('ended', before(keptMillis.jobs), 500)) await tx.jobs.remove(id)
  for (const { id } of await tx.answers.upTo('at', before(keptMillis.answers), 500))
    await tx.answers.remove(id)
  for (const { id } of await tx.leases.upTo('ended', before(keptMillis.leases), 500)) {
    await tx.leases.remove(id)
    await tx.commitments.remove(id)
  }
  for (const { id } of await tx.demand.upTo('day', before(keptMillis.demand), 500)) await tx.demand.remove(id)
}
