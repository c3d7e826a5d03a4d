import { DateTime } from 'luxon'
import { isWithin, openingAfter } from '../../broker/opening-hours.ts'
import type { PoolRule } from '../../broker/pool.ts'
import { refuse } from '../base/errors.ts'
import type { Context } from './operation.ts'

/**
 * Whoever has a session there goes on in it, whatever the pool is now. Anybody else needs a pool that is open, and no more
 * sessions than the site lets one person have.
 * @throws Refusal `pool_closed`, `too_many_sessions`.
 */
export async function checkOpen({ tx, caller, site, now }: Context, pool: PoolRule): Promise<void> {
  const { hours, name } = pool
  const most = site.policies.desktops.perPerson
  if (hours.length === 0 && most === null && (await tx.pools.get(name)) === undefined) return
  const held = await Promise.all(
    site.pools.map((each) => tx.leases.find('open-user', `${each.name}|${caller.user}`)),
  )
  const leases = held.flat()
  if (leases.some((lease) => lease.pool === name)) return
  const standing = await tx.pools.get(name)
  if (standing !== undefined && standing.state !== 'open') {
    const why = standing.reason === null ? '' : ` (${standing.reason})`
    refuse('pool_closed', `Pool ${name} takes nobody new just now${why}. Ask an operator when it will again.`)
  }
  if (!isWithin(hours, now, site.timezone)) {
    const opens = openingAfter(hours, now, site.timezone)
    const when =
      opens === null
        ? 'not within the week'
        : DateTime.fromISO(opens, { zone: site.timezone }).toFormat("cccc 'at' HH:mm")
    refuse('pool_closed', `Pool ${name} is closed now. It opens ${when}.`)
  }
  if (most !== null && leases.length >= most) {
    const where = leases.map((lease) => lease.pool).join(', ')
    refuse(
      'too_many_sessions',
      `You have ${leases.length} of at most ${most} sessions: ${where}. Log off from one first.`,
    )
  }
}
