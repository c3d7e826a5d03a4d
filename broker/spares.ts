import type { PoolCounts } from './placement-of-desktops.ts'
import type { PoolRule } from './pool.ts'

/** How many spare desktops a pool wants now: running, and saved. */
export interface SpareLevel {
  running: number
  saved: number
}

/** What to do now about the spare desktops of a pool. */
export interface SparePlan {
  /** Saved ones to wake for the running level. */
  wake: number
  /** Running ones to save, beyond the running level. */
  store: number
  /** New ones to make. */
  make: number
}

/**
 * Everything that a pool lacks, planned in one pass: everybody who waits gets a desktop, and the levels are kept, so that
 * a burst is answered at once. Saved ones are woken before any is made; one that is made to be saved is made running
 * first. Carrying the plan out makes the next one empty. A pool never grows past its size.
 */
export function planSpares(
  { size }: Pick<PoolRule, 'size'>,
  counts: PoolCounts,
  level: SpareLevel,
): SparePlan {
  const { spare, making, stored, storing, waiting, total } = counts
  const wanted = level.running + waiting
  const coming = spare + making
  const wake = Math.min(Math.max(0, wanted - coming), stored)
  const beyond = coming + wake - wanted
  const unsaved = level.saved - (stored - wake) - storing - Math.max(0, beyond)
  const lacking = Math.max(0, -beyond) + Math.max(0, unsaved)
  return {
    wake,
    // A pool that saves none leaves what it has beyond its level running, as somebody may come for it.
    store: level.saved === 0 ? 0 : Math.max(0, spare - wanted),
    make: Math.max(0, Math.min(lacking, size.max - total)),
  }
}

/** Whether there is nothing to do. */
export function isIdle({ wake, store, make }: SparePlan): boolean {
  return wake + store + make === 0
}
