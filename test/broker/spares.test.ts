import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PoolCounts } from '../../broker/placement-of-desktops.ts'
import { isIdle, planSpares, type SpareLevel, type SparePlan } from '../../broker/spares.ts'
import { aPool } from './samples.ts'

const counts = (changes: Partial<PoolCounts> = {}): PoolCounts => ({
  ...{ spare: 0, making: 0, stored: 0, storing: 0, waiting: 0, total: 5 },
  ...changes,
})
const two: SpareLevel = { running: 2, saved: 0 }
const both: SpareLevel = { running: 2, saved: 3 }
const nothing: SparePlan = { wake: 0, store: 0, make: 0 }

describe('a plan for the spare desktops of a pool', () => {
  test.each<[string, SpareLevel, Partial<PoolCounts>, Partial<SparePlan>]>([
    ['fills an empty pool to its running ones', two, { total: 0 }, { make: 2 }],
    ['makes one for everybody who waits, and the spare ones', two, { total: 3, waiting: 4 }, { make: 6 }],
    ['stops at the size of the pool', two, { total: 8, waiting: 40 }, { make: 2 }],
    ['counts those that are on their way', two, { total: 3, making: 2 }, {}],
    ['makes none when there are more than enough, and leaves them running', two, { total: 6, spare: 5 }, {}],
    ['makes none in a pool that was made smaller', two, { total: 12, waiting: 3 }, {}],
    ['fills an empty pool to its running and its saved ones', both, { total: 0 }, { make: 5 }],
    ['saves what is made beyond the running ones', both, { spare: 3, making: 2 }, { store: 1 }],
    ['waits while they are being saved', both, { spare: 2, storing: 3 }, {}],
    ['wakes saved ones before it makes any', both, { stored: 3, waiting: 1 }, { wake: 3, make: 3 }],
    ['makes up for a saved one that somebody took', both, { spare: 2, stored: 2 }, { make: 1 }],
    ['saves all that is beyond its level', both, { spare: 9, stored: 3, total: 10 }, { store: 7 }],
  ])('%s', (_, level, now, plan) => {
    expect(planSpares(aPool(), counts(now), level)).toEqual({ ...nothing, ...plan })
  })

  test('never passes the size, keeps the levels where there is room, and one pass is enough', () => {
    const some = fc.integer({ min: 0, max: 1_000 })
    const state = fc.record({
      spare: some,
      making: some,
      stored: some,
      storing: some,
      waiting: some,
      leased: some,
    })
    const level = fc.record({ running: some, saved: some })
    fc.assert(
      fc.property(state, level, ({ leased, ...now }, wanted) => {
        const pool = { size: { ...aPool().size, max: 3_000 } }
        const total = now.spare + now.making + now.stored + now.storing + leased
        const { wake, store, make } = planSpares(pool, { ...now, total }, wanted)
        const next = {
          ...now,
          spare: now.spare - store,
          making: now.making + wake + make,
          stored: now.stored - wake,
          storing: now.storing + store,
          total: total + make,
        }

        expect([next.spare, next.stored, make].every((count) => count >= 0)).toBe(true)
        expect(make === 0 || next.total <= 3_000).toBe(true)
        expect(isIdle(planSpares(pool, next, wanted))).toBe(true)
        const unused = next.spare + next.making + next.stored + next.storing
        if (next.total < 3_000) expect(unused).toBeGreaterThanOrEqual(wanted.running + wanted.saved)
      }),
    )
  })
})
