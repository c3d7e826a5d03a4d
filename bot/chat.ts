import type { MessageRef } from '../src/notices/notice.ts'
import type { Card } from './card.ts'

/**
 * A chat platform (port): Slack, Mattermost, or the built-in web chat. Carries cards out; what comes in is parsed by the
 * adapter's `inbound.ts` and handed to the conversation. Decides nothing.
 */
export interface Chat {
  readonly platform: 'web' | 'slack' | 'mattermost'
  /** Whether this person can be reached here (has a linked, active account). */
  reaches(user: string): Promise<boolean>
  /**
   * Sends a card to a person. Given the same `key` again it gives the first copy's place again.
   * @throws Outage when the platform cannot be reached; transient when trying again can help.
   */
  post(user: string, card: Card, key: string): Promise<MessageRef>
  /** Replaces a card in place. One that is gone is success. @throws Outage as `post`. */
  update(ref: MessageRef, card: Card): Promise<void>
  close(): Promise<void>
}
