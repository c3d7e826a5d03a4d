import { levelChangesAfter } from '../../broker/demand.ts'
import type { DesktopState } from '../../broker/desktop.ts'
import type { PoolRule } from '../../broker/pool.ts'
import { isIdle, planSpares, type SparePlan } from '../../broker/spares.ts'
import { instant, type Instant, millis } from '../base/clock.ts'
import { enqueue } from '../jobs/outbox.ts'
import type { Host } from '../machines/host.ts'
import { newMachine, type Size } from '../machines/machine.ts'
import { goalsOf } from '../machines/group.ts'
import { placeMost } from '../machines/placement.ts'
import type { ReadTransaction } from '../store/store.ts'
import { loadOf } from './capacity.ts'
import { levelOf } from './demand.ts'
import { countsOf, desktopTo, type PoolDesk } from './desktops.ts'
import { checkedNames } from './names.ts'
import { templateNamed } from './order.ts'

/** After a desktop could not be made, or found no room, a pool waits this long before it tries again. */
const pauseMillis = 60_000

/** When a pool wants desktops made next: now, after its pause, or not at all. */
export async function refillDue(
  tx: ReadTransaction,
  pool: PoolRule,
  now: Instant,
  zone: string,
): Promise<Instant | null> {
  const plan = await planOf(tx, pool, now, zone)
  // Nothing lacks now, but it may at another time of the day.
  if (isIdle(plan)) return levelChangesAfter(pool, now, zone)
  const standing = await tx.pools.get(pool.name)
  if (standing !== undefined && standing.state !== 'open') return null
  const until = await tx.counters.get(pauseId(pool.name))
  return until === undefined || until.value <= millis(now) ? now : instant(until.value)
}

async function planOf(tx: ReadTransaction, pool: PoolRule, now: Instant, zone: string): Promise<SparePlan> {
  return planSpares(pool, await countsOf(tx, pool.name), await levelOf(tx, pool, now, zone))
}

/** Has a pool wait before it makes desktops again: what failed just now would fail again. */
export async function pauseRefill({ tx, now }: PoolDesk, pool: string): Promise<void> {
  await tx.counters.put({ id: pauseId(pool), value: millis(now) + pauseMillis })
}

function pauseId(pool: string): string {
  return `refill-pause:${pool}`
}

/** Wakes, saves and makes as many desktops as the pool wants now, planned in one pass; fewer where there is no room. */
export async function refill(desk: PoolDesk, pool: PoolRule): Promise<void> {
  const plan = await planOf(desk.tx, pool, desk.now, desk.site.timezone)
  await steer(desk, pool, { count: plan.wake, from: 'stored', to: 'waking', job: 'wake-desktop' })
  await steer(desk, pool, { count: plan.store, from: 'free', to: 'storing', job: 'store-desktop' })
  if (plan.make > 0) await make(desk, pool, plan.make)
}

/** Has some of the pool's unused desktops woken or saved. One that somebody takes at this moment is left to them. */
async function steer(
  desk: PoolDesk,
  pool: PoolRule,
  what: { count: number; from: 'stored' | 'free'; to: DesktopState; job: 'wake-desktop' | 'store-desktop' },
): Promise<void> {
  for (let done = 0; done < what.count; done++) {
    const desktop = await desk.tx.desktops.claim(what.from, pool.name)
    if (desktop === undefined) return
    await desk.tx.desktops.put(desktopTo(desktop, what.to, desk))
    const facts = { subject: `machine:${desktop.id}`, by: 'jackdaw' }
    await enqueue(desk, what.job, { desktop: desktop.id }, facts)
  }
}

async function make(desk: PoolDesk, pool: PoolRule, wanted: number): Promise<void> {
  const { site } = desk
  const template = templateNamed(site, pool.template)
  const size = { cpus: template.cpus.default, memoryGb: template.memoryGb.default }
  const hosts = await roomFor(desk, { ...size, count: wanted, group: pool.group, template: pool.template })
  const names = await checkedNames(desk, {
    base: null,
    template: pool.name,
    count: Math.max(1, hosts.length),
  })
  for (const [index, host] of hosts.entries()) {
    await orderDesktop(desk, pool, { name: names[index] ?? '', host, size })
  }
  if (hosts.length < wanted) await pauseRefill(desk, pool.name)
}

/** A host for each of as many machines as there is room for. */
async function roomFor(
  { tx, site }: PoolDesk,
  order: Size & { count: number; group: string; template: string },
): Promise<Host[]> {
  const all = (await tx.hosts.all()).filter(({ group }) => group === order.group)
  const placed = placeMost(order, all, await loadOf(tx, all), goalsOf(site.groups))
  const hosts = placed.map((id) => all.find((host) => host.id === id))
  return hosts.filter((host) => host !== undefined)
}

/** The machine for one more desktop, and the job that makes it. */
async function orderDesktop(
  desk: PoolDesk,
  pool: PoolRule,
  { name, host, size }: { name: string; host: Host; size: Size },
): Promise<void> {
  const { tx, now, ids, site } = desk
  const history = [{ state: 'making' as const, at: now }]
  const template = templateNamed(site, pool.template)
  await tx.desktops.put({
    ...{ id: name, pool: pool.name, state: 'making', history, person: null, lease: null },
    made: { at: now, version: template.version ?? null },
  })
  const job = await enqueue(
    desk,
    'make-desktop',
    { desktop: name },
    { subject: `machine:${name}`, by: 'jackdaw' },
  )
  const facts = { name, ref: ids.next('vm', now), at: now, template }
  const where = { host: host.id, hypervisor: host.hypervisor, pool: pool.name, job: job.id }
  await tx.machines.put({ ...newMachine(facts), ...size, ...where, purpose: `desktop of pool ${pool.name}` })
}
