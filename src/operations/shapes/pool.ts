import { z } from 'zod'
import type { PoolRule } from '../../../broker/pool.ts'
import { rollCounts } from '../../../broker/roll.ts'
import type { Instant } from '../../base/clock.ts'
import type { ReadTransaction } from '../../store/store.ts'
import { levelOf } from '../demand.ts'
import { countsOf } from '../desktops.ts'
import { templateNamed } from '../order.ts'
import type { Site } from '../site.ts'
import { InstantShape } from './fields.ts'

export const PoolShape = z.object({
  name: z.string(),
  title: z.string(),
  kind: z.enum(['persistent', 'shared']),
  state: z.enum(['open', 'draining', 'closed']),
  reason: z.string().nullable(),
  template: z.string(),
  /** What the template's present image is called; null where the site's file does not say. */
  version: z.string().nullable(),
  desktops: z.object({
    ready: z.number(),
    saved: z.number(),
    /** On their way to being ready or saved. */
    coming: z.number(),
    /** People who wait for one. */
    waiting: z.number(),
    total: z.number(),
    max: z.number(),
  }),
  /** How many it keeps ready and saved now, and why so many. */
  keeps: z.object({ ready: z.number(), saved: z.number(), why: z.string() }),
  roll: z
    .object({
      state: z.enum(['rolling', 'stopped', 'done']),
      version: z.string().nullable(),
      atOnce: z.number(),
      by: z.string(),
      at: InstantShape,
      endedAt: InstantShape.nullable(),
      /** Desktops that are new. */
      fresh: z.number(),
      /** Old ones that wait for their turn. */
      left: z.number(),
      /** Old ones that somebody sits at: they are made anew after the session. */
      inUse: z.number(),
      /** Old ones that are somebody's own: they are left as they are. */
      kept: z.number(),
      /** Old ones that are set aside for an operator. */
      aside: z.number(),
    })
    .nullable(),
})
export type PoolCareView = z.infer<typeof PoolShape>

/** A pool as its operators see it. */
export async function poolView(
  { tx, site, now }: { tx: ReadTransaction; site: Site; now: Instant },
  pool: PoolRule,
): Promise<PoolCareView> {
  const standing = await tx.pools.get(pool.name)
  const { spare, stored, making, storing, waiting, total } = await countsOf(tx, pool.name)
  const { running, saved, why } = await levelOf(tx, pool, now, site.timezone)
  return {
    ...{ name: pool.name, title: pool.title ?? pool.name, kind: pool.kind, template: pool.template },
    ...{ state: standing?.state ?? 'open', reason: standing?.reason ?? null },
    version: templateNamed(site, pool.template).version ?? null,
    desktops: { ready: spare, saved: stored, coming: making + storing, waiting, total, max: pool.size.max },
    keeps: { ready: running, saved, why },
    roll: await rollOf(tx, pool, standing?.roll),
  }
}

async function rollOf(
  tx: ReadTransaction,
  { name }: PoolRule,
  roll: Parameters<typeof rollCounts>[1] | undefined,
): Promise<PoolCareView['roll']> {
  if (roll === undefined) return null
  return { ...roll, ...rollCounts(await tx.desktops.find('pool', name), roll) }
}
