import type { Instant } from '../base/clock.ts'

/** Something that holds for a while and counts once, such as a link that was sent out or a request that was seen. */
export interface Voucher {
  /** What it is for and the fingerprint of its token: the token itself is not kept. */
  id: string
  facts: unknown
  expiresAt: Instant
}
