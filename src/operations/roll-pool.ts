import { z } from 'zod'
import type { PoolStanding } from '../../broker/pool-standing.ts'
import type { Roll } from '../../broker/roll.ts'
import { refuse } from '../base/errors.ts'
import { redrawCards } from '../jobs/outbox.ts'
import { poolNamed } from './desktops.ts'
import { change, type Context } from './operation.ts'
import { templateNamed } from './order.ts'
import { operators } from './rules.ts'
import { PoolShape, poolView } from './shapes/pool.ts'

export const rollPool = change({
  name: 'roll-pool',
  summary:
    'Send the template as it is now through a pool: unused desktops are made anew a few at a time, those in use after their session, people’s own never.',
  http: { method: 'POST', path: '/pools/{pool}/roll', status: () => 202 },
  input: z.object({
    pool: z.string().max(40),
    /** How many unused desktops may be missing at a time. */
    atOnce: z.coerce.number().int().min(1).max(100).default(1),
  }),
  output: PoolShape,
  subject: ({ pool }) => `pool:${pool}`,
  allow: operators,
  async run(context, { pool: name, atOnce }) {
    const { site, caller, now } = context
    const pool = poolNamed(site, name)
    const version = templateNamed(site, pool.template).version ?? null
    const standing = await standingOf(context, pool.name)
    // Pressed twice it goes on as it was begun: what has been made since is not made again.
    const same = standing.roll?.state === 'rolling' && standing.roll.version === version
    const begun = same ? standing.roll : { version, by: caller.user, at: now }
    const roll: Roll = {
      version,
      by: caller.user,
      at: now,
      ...begun,
      atOnce,
      state: 'rolling',
      endedAt: null,
    }
    await context.tx.pools.put({ ...standing, roll })
    await redrawCards(context, `pool:${pool.name}`)
    return poolView(context, pool)
  },
})

export const stopRoll = change({
  name: 'stop-roll',
  summary: 'Stop sending a new version through a pool. What is made is made; the rest stays as it is.',
  http: { method: 'POST', path: '/pools/{pool}/roll/stop' },
  input: z.object({ pool: z.string().max(40) }),
  output: PoolShape,
  subject: ({ pool }) => `pool:${pool}`,
  allow: operators,
  async run(context, { pool: name }) {
    const pool = poolNamed(context.site, name)
    const standing = await standingOf(context, pool.name)
    const { roll } = standing
    if (roll === undefined || roll.state === 'done') {
      refuse('wrong_state', `No new version is on its way through pool ${name}.`)
    }
    if (roll.state === 'rolling') {
      await context.tx.pools.put({ ...standing, roll: { ...roll, state: 'stopped', endedAt: context.now } })
      await redrawCards(context, `pool:${pool.name}`)
    }
    return poolView(context, pool)
  },
})

/** What operators have done with a pool; one that they never touched is open. */
async function standingOf({ tx, caller, now }: Context, pool: string): Promise<PoolStanding> {
  const known = await tx.pools.get(pool)
  return known ?? { id: pool, state: 'open', reason: null, by: caller.user, at: now }
}
