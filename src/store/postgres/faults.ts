import pg from 'pg'
import { Outage } from '../../base/errors.ts'

/**
 * What a database's error means to us: `conflict`: two transactions were in each other's way, and trying again helps;
 * `rival`: an invariant does not hold, unless that was a conflict too; `lost`: the connection is gone; `wrong`: we asked
 * for nonsense; `outage`: all the rest, such as a full disk.
 */
export type FaultKind = 'conflict' | 'rival' | 'lost' | 'wrong' | 'outage'

/** An error of the database or of the way there. Never shown to people as it is. */
export class DatabaseFault extends Error {
  override readonly name = 'DatabaseFault'
  readonly kind: FaultKind
  /** Whether the server said so itself, in its turn. */
  readonly isSaid: boolean

  constructor(cause: unknown) {
    super(textOf(cause), { cause })
    this.kind = kindOf(cause)
    this.isSaid = cause instanceof pg.DatabaseError
  }
}

/** By SQLSTATE (PostgreSQL, appendix A), the most special first. */
const kinds: readonly [RegExp, FaultKind][] = [
  // Serialization failure, deadlock, and a lock that was not to be had in time.
  [/^(40001|40P01|55P03)$/, 'conflict'],
  [/^23505$/, 'rival'],
  [/^(08|57P)/, 'lost'],
  [/^(22|23|0A)/, 'wrong'],
]

function kindOf(cause: unknown): FaultKind {
  if (!(cause instanceof pg.DatabaseError)) return 'lost'
  if (cause.severity === 'FATAL' || cause.severity === 'PANIC') return 'lost'
  const { code = '' } = cause
  return kinds.find(([pattern]) => pattern.test(code))?.[1] ?? 'outage'
}

/** Connecting to a name with several addresses fails with several errors and no words of its own. */
function textOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(textOf).join('; ')
  if (!(cause instanceof Error)) return String(cause)
  const detail = cause instanceof pg.DatabaseError ? cause.detail : undefined
  return detail === undefined ? cause.message : `${cause.message}: ${detail}`
}

export function unwritable(cause: DatabaseFault, isUnknown = false): Outage {
  const what = isUnknown
    ? 'Whether the last change was kept is not known; repeating it is harmless.'
    : 'Nothing was changed.'
  const detail = `The database does not answer as it should: ${cause.message}. ${what}`
  return new Outage('store_unwritable', detail, { transient: true, cause })
}
