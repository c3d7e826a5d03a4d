import { earliest, type Instant } from '../base/clock.ts'
import { demandToCountAt, countDemandOf } from '../operations/demand.ts'
import { refill, refillDue } from '../operations/refilling.ts'
import { advanceRoll, rollDue } from '../operations/rolling.ts'
import type { Site } from '../operations/site.ts'
import type { ReadTransaction } from '../store/store.ts'
import type { PoolRule } from '../../broker/pool.ts'
import type { PoolDesk } from '../operations/desktops.ts'
import { deskOf } from './facts.ts'
import type { Sweep } from './schedule.ts'

type Pools = Pick<Site, 'pools' | 'timezone'>

/** Makes up what pools lack, in one pass for each, as soon as something lacks. */
export function refillPools({ pools, timezone }: Pools): Sweep {
  return poolSweep('refill-pools', pools, (tx, pool, now) => refillDue(tx, pool, now, timezone), refill)
}

/** Takes the next old desktops out of pools that a new version goes through. */
export function rollPools({ pools, timezone }: Pools): Sweep {
  return poolSweep('roll-pools', pools, (tx, pool, now) => rollDue(tx, pool, now, timezone), advanceRoll)
}

/** Counts what people have asked pools for that follow demand, each quarter of an hour. */
export function countDemand({ pools }: Pools): Sweep {
  const followers = pools.filter(({ size }) => size.demand !== undefined)
  return poolSweep('count-demand', followers, demandToCountAt, countDemandOf)
}

function poolSweep(
  name: string,
  pools: readonly PoolRule[],
  dueAt: (tx: ReadTransaction, pool: PoolRule, now: Instant) => Promise<Instant | null>,
  attend: (desk: PoolDesk, pool: PoolRule) => Promise<void>,
): Sweep {
  const due = (tx: ReadTransaction, now: Instant) => Promise.all(pools.map((pool) => dueAt(tx, pool, now)))
  return {
    name,
    next: async (tx, now) => earliest(...(await due(tx, now))),
    async run(tools) {
      const now = tools.clock.now()
      const times = await tools.store.read((tx) => due(tx, now))
      const waiting = pools.filter((_pool, index) => (times[index] ?? '~') <= now)
      for (const pool of waiting) await tools.store.transact((tx) => attend(deskOf(tools, tx), pool))
      return waiting.length > 0
    },
  }
}
