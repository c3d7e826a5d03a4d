import assert from 'node:assert/strict'

/**
 * Every answer of "no" that people and programs may meet, with the HTTP status that carries it (RFC 9110).
 * The words are part of the contract: they may be added to, never renamed.
 */
export const refusalStatus = {
  invalid_input: 400,
  bad_credentials: 401,
  account_unusable: 403,
  not_signed_in: 401,
  csrf_failed: 403,
  forbidden: 403,
  not_an_approver: 403,
  own_request: 403,
  budget_exhausted: 402,
  not_found: 404,
  method_not_allowed: 405,
  already_decided: 409,
  already_exists: 409,
  busy: 409,
  desktop_unreachable: 409,
  lease_ended: 409,
  name_taken: 409,
  no_capacity: 409,
  no_approver: 409,
  not_an_orphan: 409,
  pool_full: 409,
  pool_closed: 409,
  too_many_sessions: 409,
  unknown_ticket: 404,
  not_recognised: 404,
  ambiguous_name: 409,
  wrong_state: 409,
  quote_expired: 409,
  body_too_large: 413,
  unsupported_media_type: 415,
  idempotency_conflict: 422,
  bad_duration: 422,
  bad_name: 422,
  bad_size: 422,
  bad_term: 422,
  not_a_member: 403,
  unknown_budget: 422,
  unknown_template: 422,
  reason_required: 422,
  too_many_attempts: 429,
} as const

export type RefusalCode = keyof typeof refusalStatus

/** One fault of a form: where it is, and what would be right. */
export interface FieldError {
  path: string
  message: string
}

export interface RefusalExtras {
  /** Faults by field, when the answer is about an input. */
  errors?: FieldError[]
  /** For `no_capacity`: each host with the reasons why it cannot take the machine. */
  hosts?: { host: string; reasons: string[] }[]
  /** Things that could have been meant, most likely first. */
  suggestions?: string[]
  /**
   * For `quote_expired`: what it costs now, under the id that accepts it, what had been quoted, and what would be left on
   * the budget at the new price (`shareAfter` of its limit would be taken).
   */
  quote?: {
    id: string
    total: string
    quoted: string
    perDay: string
    leftAfter: string
    shareAfter: number
    currency: string
    /** What was changed since the quote that had been shown; absent where only prices went up. */
    changed?: string
  }
  /** Seconds after which asking again makes sense (Retry-After, RFC 9110 §10.2.3). */
  retryAfterSeconds?: number
  /** An id the person may want to look at. */
  about?: string
}

/** Our answer to a person: a stable code, the fact, and the remedy. Never our own failure. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly extras: RefusalExtras

  constructor(code: RefusalCode, detail: string, extras: RefusalExtras = {}) {
    super(detail)
    this.code = code
    this.extras = extras
  }

  get status(): number {
    return refusalStatus[this.code]
  }
}

/** The world failing: `transient` says whether trying again can help. The one who met it knows best. */
export class Outage extends Error {
  override readonly name = 'Outage'
  readonly code: string
  readonly transient: boolean

  constructor(code: string, detail: string, options: { transient: boolean; cause?: unknown }) {
    super(detail, { cause: options.cause })
    this.code = code
    this.transient = options.transient
  }
}

export function refuse(code: RefusalCode, detail: string, extras?: RefusalExtras): never {
  throw new Refusal(code, detail, extras)
}

export function notFound(what: string, id: string): Refusal {
  return new Refusal('not_found', `There is no ${what} ${id}, or it is not yours to see.`)
}

/** What an unknown thrown value says, for logs and job records. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export { assert }
