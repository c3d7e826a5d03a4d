import { type Desktop, type DesktopState, desktopStates } from '../../broker/desktop.ts'
import { endLease, type EndReason, type Lease, offerLease } from '../../broker/lease.ts'
import { termsOf } from '../../broker/lease-terms.ts'
import { planRefill, type PoolCounts } from '../../broker/placement-of-desktops.ts'
import type { PoolRule } from '../../broker/pool.ts'
import { notFound, Refusal } from '../base/errors.ts'
import { move } from '../base/states.ts'
import { type Desk, enqueue, redrawCards, tell } from '../jobs/outbox.ts'
import { newMachine } from '../machines/machine.ts'
import type { ReadTransaction } from '../store/store.ts'
import { placeAll } from './capacity.ts'
import { checkedNames } from './names.ts'
import { templateNamed } from './order.ts'
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
  const [spare, making, waiting, total] = await Promise.all([
    tx.desktops.count('free', pool),
    tx.desktops.count('coming', pool),
    tx.leases.count('waiting', pool),
    tx.desktops.count('pool', pool),
  ])
  return { spare, making, waiting, total }
}

/** Starts making as many desktops as the pool wants now, in one pass; fewer where there is no room. */
export async function refill(desk: PoolDesk, pool: PoolRule): Promise<number> {
  const wanted = planRefill(pool, await countsOf(desk.tx, pool.name))
  for (let made = 0; made < wanted; made++) {
    if (!(await orderDesktop(desk, pool))) return made
  }
  return wanted
}

/** The machine for one more desktop and the job that makes it; false when no host has room. */
async function orderDesktop(desk: PoolDesk, pool: PoolRule): Promise<boolean> {
  const { tx, now, ids, site } = desk
  const template = templateNamed(site, pool.template)
  const size = { cpus: template.cpus.default, memoryGb: template.memoryGb.default }
  const host = await roomFor(tx, { ...size, count: 1, group: pool.group })
  if (host === undefined) return false
  const [name = ''] = await checkedNames(desk, { base: null, template: pool.name, count: 1 })
  const history = [{ state: 'making' as const, at: now }]
  await tx.desktops.put({ id: name, pool: pool.name, state: 'making', history, person: null, lease: null })
  const job = await enqueue(
    desk,
    'make-desktop',
    { desktop: name },
    { subject: `machine:${name}`, by: 'jackdaw' },
  )
  const facts = { name, ref: ids.next('vm', now), at: now, template }
  const place = { host: host.id, hypervisor: host.hypervisor, pool: pool.name, job: job.id }
  await tx.machines.put({ ...newMachine(facts), ...size, ...place, purpose: `desktop of pool ${pool.name}` })
  return true
}

async function roomFor(tx: ReadTransaction, order: Parameters<typeof placeAll>[1]) {
  try {
    return (await placeAll(tx, order))[0]
  } catch (error) {
    if (error instanceof Refusal && error.code === 'no_capacity') return undefined
    throw error
  }
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
  const [waiting] = await tx.leases.find('waiting', desktop.pool)
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
  await tx.leases.put(ended)
  const desktop = lease.desktop === null ? undefined : await tx.desktops.get(lease.desktop)
  if (desktop?.lease === lease.id) await putInOrder(desk, desktop, lease, reason)
  await redrawCards(desk, `lease:${lease.id}`)
  const quiet: readonly EndReason[] = ['logged_off', 'released', 'never_used']
  if (!quiet.includes(reason)) {
    await tell(desk, { kind: 'lease-ended', about: { kind: 'lease', id: lease.id }, to: [lease.user] })
  }
  return ended
}

async function putInOrder(desk: PoolDesk, desktop: Desktop, lease: Lease, reason: EndReason): Promise<void> {
  const { tx, site } = desk
  const facts = { subject: `machine:${desktop.id}`, by: lease.user }
  if (reason === 'desktop_lost') return loseDesktop(desk, desktop)
  const clean = poolNamed(site, desktop.pool).kind === 'shared'
  if (clean) {
    await tx.desktops.put({ ...desktopTo(desktop, 'resetting', desk, reason), lease: null })
    await enqueue(desk, 'reset-desktop', { desktop: desktop.id, lease: lease.id }, facts)
    return
  }
  // It stays leased, to nobody, until it has come to rest: it must not be handed out while it is being saved.
  await tx.desktops.put({ ...desktop, lease: null })
  await enqueue(desk, 'rest-desktop', { desktop: desktop.id, lease: lease.id }, facts)
}

/** Its machine is gone: so is the desktop, and the pool makes another. */
export async function loseDesktop(desk: PoolDesk, desktop: Desktop): Promise<void> {
  await desk.tx.desktops.remove(desktop.id)
  await refill(desk, poolNamed(desk.site, desktop.pool))
}
