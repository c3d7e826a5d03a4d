import type { Instant } from '../base/clock.ts'
import type { Via } from './person.ts'

/** Who did what, on what, when, how, and with what result. `result` is `done` or the code of the refusal. */
export interface AuditRow {
  id: string
  at: Instant
  actor: string
  via: Via
  operation: string
  subject: string | null
  result: string
  detail: string | null
}
