import { isPersons } from '../../broker/asker.ts'
import { type Desktop, type DesktopState, desktopStates } from '../../broker/desktop.ts'
import { endLease, type EndReason, type Lease, offerLease } from '../../broker/lease.ts'
import { termsOf } from '../../broker/lease-terms.ts'
import type { PoolCounts } from '../../broker/placement-of-desktops.ts'
import type { PoolRule } from '../../broker/pool.ts'
import { isReplaced } from '../../broker/roll.ts'
import { notFound } from '../base/errors.ts'
import { move } from '../base/states.ts'
import { type Desk, enqueue, redrawCards, tell } from '../jobs/outbox.ts'
import type { ReadTransaction } from '../store/store.ts'
import { withdrawAsking, withoutAsking } from './lease-asked.ts'
import { holdForLease, settleLease } from './lease-charging.ts'
import type { Site } from './site.ts'

/** What changing desktops needs: a transaction, and the site's rules. */
export interface PoolDesk extends Desk {
  site: Site
}

/** @throws Refusal `not_found`. */
export function poolNamed(site: Site, name: string): PoolRule {
  const pool = site.pools.find((known) => known.name === name)
  if (pool === undefined) throw notFound('pool', name)
  return pool
}

export async function countsOf(tx: ReadTransaction, pool: string): Promise<PoolCounts> {
  const [spare, making, stored, storing, waiting, total] = await Promise.all([
    tx.desktops.count('free', pool),
    tx.desktops.count('coming', pool),
    tx.desktops.count('stored', pool),
    tx.desktops.count('storing', pool),
    tx.leases.count('waiting', pool),
    tx.desktops.count('pool', pool),
  ])
  return { spare, making, stored, storing, waiting, total }
}

/** A desktop in another state, with its history. */
export function desktopTo(desktop: Desktop, state: DesktopState, desk: Desk, reason?: string): Desktop {
  if (desktop.state === state) return desktop
  return move(desktopStates, desktop, state, { at: desk.now, ...(reason === undefined ? {} : { reason }) })
}

/** A clean desktop goes to whoever waits longest, else it is spare. */
export async function giveOut(desk: PoolDesk, desktop: Desktop): Promise<void> {
  const { tx, site } = desk
  const pool = poolNamed(site, desktop.pool)
  const where = { index: 'waiting', key: desktop.pool } as const
  const [waiting] = (await tx.leases.page({ where, limit: 1 })).items
  if (waiting === undefined) return tx.desktops.put({ ...desktopTo(desktop, 'spare', desk), lease: null })
  await lendTo(desk, pool, desktop, waiting)
}

/** Offers a desktop to the lease that waits for it. In a persistent pool it becomes that person's own. */
export async function lendTo(desk: PoolDesk, pool: PoolRule, desktop: Desktop, lease: Lease): Promise<Lease> {
  const { tx, now, site } = desk
  const offered = offerLease(lease, desktop.id, termsOf(pool, site.timezone), now)
  const person = pool.kind === 'persistent' ? lease.user : null
  await tx.desktops.put({ ...desktopTo(desktop, 'leased', desk), person, lease: lease.id })
  if (person !== null) {
    const machine = await tx.machines.get(desktop.id)
    if (machine !== undefined) await tx.machines.put({ ...machine, owner: person })
  }
  await tx.leases.put(offered)
  await holdForLease(desk, offered, 'anyhow')
  await redrawCards(desk, `lease:${lease.id}`)
  return offered
}

/**
 * Ends a lease, in this order: its token is dead with this transaction, so new connections are refused; the sockets close
 * and the desktop is cleaned or put to rest by the job that is left behind. Ending it again changes nothing.
 */
export async function finishLease(desk: PoolDesk, lease: Lease, reason: EndReason): Promise<Lease> {
  const { tx, now } = desk
  const ended = endLease(lease, reason, now)
  if (ended === lease) return lease
  await tx.leases.put(withoutAsking(ended))
  await withdrawAsking(desk, lease)
  await settleLease(desk, ended)
  const desktop = lease.desktop === null ? undefined : await tx.desktops.get(lease.desktop)
  if (desktop?.lease === lease.id) await putInOrder(desk, desktop, lease, reason)
  await redrawCards(desk, `lease:${lease.id}`)
  const quiet: readonly EndReason[] = ['logged_off', 'released', 'never_used']
  if (!quiet.includes(reason) && isPersons(lease)) {
    await tell(desk, { kind: 'lease-ended', about: { kind: 'lease', id: lease.id }, to: [lease.user] })
  }
  return ended
}

async function putInOrder(desk: PoolDesk, desktop: Desktop, lease: Lease, reason: EndReason): Promise<void> {
  const { tx, site } = desk
  const facts = { subject: `machine:${desktop.id}`, by: lease.user }
  // It was being woken for this lease, and nobody has been on it: it goes to the next one, or is spare.
  if (desktop.state === 'waking' && desktop.person === null)
    return tx.desktops.put({ ...desktop, lease: null })
  const clean = poolNamed(site, desktop.pool).kind === 'shared'
  if (clean && isReplaced(desktop, (await tx.pools.get(desktop.pool))?.roll)) {
    return retire(desk, { ...desktop, lease: null }, lease)
  }
  if (clean) {
    await tx.desktops.put({ ...desktopTo(desktop, 'resetting', desk, reason), lease: null })
    await enqueue(desk, 'reset-desktop', { desktop: desktop.id, lease: lease.id }, facts)
    return
  }
  // It stays leased, to nobody, until it has come to rest: it must not be handed out while it is being saved.
  await tx.desktops.put({ ...desktop, lease: null })
  await enqueue(desk, 'rest-desktop', { desktop: desktop.id, lease: lease.id }, facts)
}

/** Has a desktop removed, after connections to the session that was on it have closed. Its pool makes another. */
export async function retire(desk: PoolDesk, desktop: Desktop, lease: Lease | null): Promise<void> {
  const facts = { subject: `machine:${desktop.id}`, by: lease?.user ?? 'jackdaw' }
  await desk.tx.desktops.put(desktopTo(desktop, 'retiring', desk))
  await enqueue(desk, 'retire-desktop', { desktop: desktop.id, lease: lease?.id ?? null }, facts)
}
