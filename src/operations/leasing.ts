import { type Lease, prepareLease, resumeLease } from '../../broker/lease.ts'
import { termsOf } from '../../broker/lease-terms.ts'
import { chooseDesktop, type Found } from '../../broker/placement-of-desktops.ts'
import type { PoolRule } from '../../broker/pool.ts'
import { fingerprintOf, ticketFor } from '../../broker/ticket.ts'
import { refuse } from '../base/errors.ts'
import { enqueue } from '../jobs/outbox.ts'
import type { Machine } from '../machines/machine.ts'
import { countsOf, desktopTo, lendTo } from './desktops.ts'
import { payForLease } from './lease-charging.ts'
import { loseDesktop, reachWords } from './losing.ts'
import type { Context } from './operation.ts'

/**
 * The caller's lease in a pool: what they have, else a new one. A session on a shared desktop that cannot be reached ends,
 * and they get another desktop; their own is waited for, as nothing can stand in its place.
 * @throws Refusal `desktop_unreachable` and whatever `chooseDesktop` and `payForLease` refuse.
 */
export async function leaseFor(
  context: Context,
  pool: PoolRule,
  terminal: Lease['terminal'],
): Promise<Lease> {
  const { tx, caller, now, site } = context
  const terms = termsOf(pool, site.timezone)
  const choice = chooseDesktop(pool, caller.user, await foundOrLost(context, pool), now)
  if (choice.kind === 'resume') {
    const resumed = resumeLease(choice.lease, terminal, terms, now)
    await tx.leases.put(resumed)
    return resumed
  }
  const opening = await openingOf(context, pool, terminal)
  const bound = choice.kind === 'wake' ? choice.desktop.id : null
  const isOwn = choice.kind !== 'wait' && choice.desktop.person !== null
  const prepared = prepareLease({ ...opening, desktop: bound }, terms, now)
  const lease = isOwn ? { ...prepared, own: true as const } : prepared
  await payForLease(context, pool, lease, caller)
  if (choice.kind === 'offer') return lendTo(context, pool, choice.desktop, lease)
  await tx.leases.put(lease)
  if (choice.kind === 'wake') await wake(context, choice.desktop.id, lease, choice.start)
  return lease
}

/** What there is, once a session that cannot be gone on with is out of the way. */
async function foundOrLost(context: Context, pool: PoolRule): Promise<Found> {
  const seen = await found(context, pool)
  const machine = await silentMachine(context, seen)
  if (machine === undefined) return seen
  const desktop = await context.tx.desktops.get(machine.id)
  if (desktop === undefined || desktop.person !== null) {
    const [fact, about] = [reachWords(machine), machine.id]
    refuse('desktop_unreachable', `Your desktop ${fact} Try again in a minute, or ask an operator.`, {
      ...{ about, retryAfterSeconds: 60 },
    })
  }
  await loseDesktop(context, desktop, machine.history.at(-1)?.reason ?? 'it does not answer', {
    isGone: false,
  })
  return found(context, pool)
}

/** The machine of what the person has, where it does not answer. Whoever is connected just now sees that it does. */
async function silentMachine({ tx }: Context, { lease, own }: Found): Promise<Machine | undefined> {
  if (lease?.state === 'connected' || lease?.state === 'preparing') return undefined
  const name = lease?.desktop ?? (own?.desktop.state === 'idle' ? own.desktop.id : undefined)
  const machine = name === undefined ? undefined : await tx.machines.get(name)
  return machine?.state === 'unreachable' ? machine : undefined
}

/** What there is for this person in this pool. Each lookup is by an index, so it costs the same in a pool of any size. */
async function found({ tx, caller }: Context, pool: PoolRule): Promise<Found> {
  const key = `${pool.name}|${caller.user}`
  const [lease = null] = await tx.leases.find('open-user', key)
  const [desktop] = lease === null ? await tx.desktops.find('person', key) : []
  const running = desktop === undefined ? false : (await tx.machines.get(desktop.id))?.state === 'running'
  const own = desktop === undefined ? null : { desktop, running }
  const hasOwn = own !== null && own.desktop.state !== 'gone' && pool.kind === 'persistent'
  const none = { lease, own, spare: null, stored: null, counts: null }
  if (lease !== null || hasOwn) return none
  const spare = (await tx.desktops.claim('free', pool.name)) ?? null
  if (spare !== null) return { ...none, spare }
  const stored = (await tx.desktops.claim('stored', pool.name)) ?? null
  return { ...none, stored, counts: stored === null ? await countsOf(tx, pool.name) : null }
}

async function openingOf({ tx, caller, now, ids }: Context, pool: PoolRule, terminal: Lease['terminal']) {
  const id = ids.next('L', now)
  const nonce = ids.secret(16)
  const ticket = fingerprintOf(ticketFor(await ticketKey({ tx, ids }), { id, nonce }))
  return { id, nonce, ticket, pool: pool.name, desktop: null, user: caller.user, terminal }
}

/** The site's key for tickets, made when the first one is needed. */
export async function ticketKey({ tx, ids }: Pick<Context, 'tx' | 'ids'>): Promise<string> {
  const known = await tx.secrets.get('ticket-key')
  if (known !== undefined) return known.value
  const value = ids.secret(32)
  await tx.secrets.put({ id: 'ticket-key', value })
  return value
}

async function wake(context: Context, name: string, lease: Lease, start: boolean): Promise<void> {
  const desktop = await context.tx.desktops.get(name)
  if (desktop === undefined) return
  const waking = start ? desktopTo(desktop, 'waking', context) : desktop
  await context.tx.desktops.put({ ...waking, lease: lease.id })
  if (start) {
    const facts = { subject: `machine:${name}`, by: lease.user }
    const job = await enqueue(context, 'wake-desktop', { desktop: name }, facts)
    const machine = await context.tx.machines.get(name)
    if (machine !== undefined) await context.tx.machines.put({ ...machine, job: job.id })
  }
}
