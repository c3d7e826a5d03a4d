import { isRolled, planRoll, rollCounts, type Roll } from '../../broker/roll.ts'
import type { PoolRule } from '../../broker/pool.ts'
import type { Instant } from '../base/clock.ts'
import { redrawCards } from '../jobs/outbox.ts'
import type { ReadTransaction } from '../store/store.ts'
import { levelOf } from './demand.ts'
import { type PoolDesk, retire } from './desktops.ts'

/** What to do next about a roll: which desktops to take out, and whether it is over. */
async function nextStep(tx: ReadTransaction, pool: PoolRule, roll: Roll, now: Instant, zone: string) {
  const desktops = await tx.desktops.find('pool', pool.name)
  const level = await levelOf(tx, pool, now, zone)
  return { old: planRoll(desktops, roll, level), isOver: isRolled(rollCounts(desktops, roll)) }
}

/** When a roll through a pool can go on: now, or not before something has changed. */
export async function rollDue(
  tx: ReadTransaction,
  pool: PoolRule,
  now: Instant,
  zone: string,
): Promise<Instant | null> {
  const roll = (await tx.pools.get(pool.name))?.roll
  if (roll?.state !== 'rolling') return null
  const { old, isOver } = await nextStep(tx, pool, roll, now, zone)
  return isOver || old.length > 0 ? now : null
}

/** Takes the next batch out, or writes down that the roll is over. */
export async function advanceRoll(desk: PoolDesk, pool: PoolRule): Promise<void> {
  const { tx, now, site } = desk
  const standing = await tx.pools.get(pool.name)
  const roll = standing?.roll
  if (standing === undefined || roll?.state !== 'rolling') return
  const { old, isOver } = await nextStep(tx, pool, roll, now, site.timezone)
  if (isOver) await tx.pools.put({ ...standing, roll: { ...roll, state: 'done', endedAt: now } })
  for (const name of old) {
    const desktop = await tx.desktops.get(name)
    if (desktop !== undefined) await retire(desk, desktop, null)
  }
  await redrawCards(desk, `pool:${pool.name}`)
}
