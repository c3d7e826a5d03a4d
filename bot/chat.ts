import type { Router } from 'express'
import type { Finding } from '../src/base/finding.ts'
import type { MessageRef } from '../src/notices/notice.ts'
import type { Card } from './card.ts'

/** How a platform is doing: `up`, not there yet, or `down` with what it said. */
export interface ChatStatus {
  state: 'up' | 'connecting' | 'down'
  /** A few words for whoever operates the site; no token stands in them. */
  detail: string
}

/**
 * A chat platform (port): Slack, Mattermost, or the built-in web chat. Carries cards out; what comes in is parsed by the
 * adapter's `inbound.ts` and handed to the conversation. Decides nothing.
 *
 * Opening one waits for nothing: it connects in the background, comes back by itself, and says how it is doing.
 *
 * All of a card's text is plain. A renderer escapes it, so that nothing people typed mentions anybody, makes a link or
 * breaks a card.
 */
export interface Chat {
  readonly platform: 'web' | 'slack' | 'mattermost'
  /** Whether this person can be reached here (has a linked, active account). @throws Outage as `post`. */
  reaches(user: string): Promise<boolean>
  /**
   * Sends a card to a person. Given the same `key` again it gives the first copy's place again, as far as it can know.
   * @throws Outage `chat_unreachable` (transient) when the platform does not answer at all: it is then left alone for a
   * while. Any other transient one is about this message only; one that is not means that it can never be sent.
   */
  post(user: string, card: Card, key: string): Promise<MessageRef>
  /** Sends a card to the site's channel. Nothing where it has none. @throws Outage as `post`. */
  announce(card: Card, key: string): Promise<MessageRef | null>
  /** Replaces a card in place. One that is gone is success. @throws Outage as `post`. */
  update(ref: MessageRef, card: Card): Promise<void>
  /** The time zone in which somebody reads times here; nothing where the platform does not know. */
  zoneOf(user: string): Promise<string | null>
  status(): ChatStatus
  /** Tries what the platform needs of its set-up, for `jackdaw doctor`: tokens, scopes, channels, callbacks. Never throws. */
  check(): Promise<Finding[]>
  close(): Promise<void>
}

/**
 * Where a platform calls back. It is asked before every other page and before anything has read the body, since whoever
 * proves a callback needs its bytes as they came.
 */
export interface Face {
  path: string
  router: Router
}

/** A platform that was opened. */
export interface OpenedChat {
  chat: Chat
  faces: readonly Face[]
}
