import type { Instant } from '../src/base/clock.ts'
import type { Desktop } from './desktop.ts'
import type { SpareLevel } from './spares.ts'

/**
 * A new version of the template on its way through a pool. Desktops that nobody uses are made anew, those in use after
 * their session. A desktop that belongs to a person is left as it is: their work is on its disk and nowhere else.
 */
export interface Roll {
  state: 'rolling' | 'stopped' | 'done'
  /** What the site's file calls it; null where it says no versions: then whatever was made before the roll is old. */
  version: string | null
  /** How many unused desktops may be missing at a time. */
  atOnce: number
  by: string
  at: Instant
  endedAt: Instant | null
}

/** How far a roll has come, in desktops. */
export interface RollCounts {
  /** Made since, or of the version. */
  fresh: number
  /** Old and unused, or on their way in or out. */
  left: number
  /** Old and with a session, which nobody disturbs. */
  inUse: number
  /** Old and somebody's own: they stay. */
  kept: number
  /** Old and set aside for an operator to look at. */
  aside: number
}

/** Whether a desktop is of before the roll. One of which nobody knows when it was made is. */
export function isOld({ made }: Desktop, { version, at }: Pick<Roll, 'version' | 'at'>): boolean {
  if (made === undefined) return true
  return made.at < at && (version === null || made.version !== version)
}

/** Whether a session on a desktop is followed by a new desktop in its place. */
export function isReplaced(desktop: Desktop, roll: Roll | undefined): boolean {
  return roll?.state === 'rolling' && desktop.person === null && isOld(desktop, roll)
}

export function rollCounts(desktops: readonly Desktop[], roll: Roll): RollCounts {
  const counts = { fresh: 0, left: 0, inUse: 0, kept: 0, aside: 0 }
  for (const desktop of desktops) counts[placeIn(desktop, roll)] += 1
  return counts
}

function placeIn(desktop: Desktop, roll: Roll): keyof RollCounts {
  if (!isOld(desktop, roll)) return 'fresh'
  if (desktop.person !== null) return 'kept'
  if (desktop.state === 'quarantined') return 'aside'
  return desktop.state === 'leased' ? 'inUse' : 'left'
}

/**
 * Which desktops to take out now, for new ones in their place: unused ones, saved before running. No more than `atOnce`
 * are missing at a time, counting those that people have taken meanwhile: whoever comes goes before the roll.
 */
export function planRoll(desktops: readonly Desktop[], roll: Roll, level: SpareLevel): string[] {
  if (roll.state !== 'rolling') return []
  const inState = (state: Desktop['state']) => desktops.filter((desktop) => desktop.state === state)
  const unused = [...inState('stored'), ...inState('spare')]
  const missing = Math.max(0, level.running + level.saved - unused.length)
  const free = roll.atOnce - Math.max(missing, inState('retiring').length)
  const old = unused.filter((desktop) => isOld(desktop, roll))
  return old.slice(0, Math.max(0, free)).map(({ id }) => id)
}

/** Whether nothing is left to be made anew. */
export function isRolled({ left, inUse }: RollCounts): boolean {
  return left + inUse === 0
}
