import type { Instant } from '../base/clock.ts'
import type { ReadTransaction } from '../store/store.ts'
import type { Tools } from './trade.ts'

/** Work that time causes. Looks for what is due, however late it comes, and never counts on being called on time. */
export interface Sweep {
  readonly name: string
  /** When it has something to do next; null when nothing is foreseen. */
  next(tx: ReadTransaction, now: Instant): Promise<Instant | null>
  /** Does what is due. @returns whether there was anything. */
  run(tools: Tools): Promise<boolean>
}
