import type { Instant } from '../base/clock.ts'
import { fingerprint } from '../base/seal.ts'

/** A signed-in person. `id` is the fingerprint of the token that they hold; the token itself is not kept. */
export interface Session {
  id: string
  user: string
  createdAt: Instant
  expiresAt: Instant
}

/** A session for a new token of 256 bits. */
export function newSession(token: string, facts: { user: string; at: Instant; expiresAt: Instant }): Session {
  return { id: fingerprint(token), user: facts.user, createdAt: facts.at, expiresAt: facts.expiresAt }
}
