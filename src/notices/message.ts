import type { Instant } from '../base/clock.ts'

/** One line of a person's conversation in the built-in web chat. */
export interface Message {
  id: string
  /** Whose conversation it is. */
  user: string
  from: 'person' | 'jackdaw'
  /** A card as the bot drew it, or what the person typed. Read back through the card's schema. */
  body: unknown
  at: Instant
  editedAt: Instant | null
}
