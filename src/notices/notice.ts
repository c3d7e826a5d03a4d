import type { Instant } from '../base/clock.ts'

/** Facts worth telling somebody, in the past tense or as a want. The bot turns each into a card. */
export const noticeKinds = [
  'approval-wanted',
  'approval-reminder',
  'request-decided',
  'request-failed',
  'machine-ready',
  'machine-expiring',
  'machine-expired',
  'machine-deleted',
  'machine-failed',
  'machine-changed',
  'lease-ending',
  'lease-ended',
  'budget-warning',
  'host-drained',
  'rebalanced',
  'terminal-waiting',
  'host-down',
  'host-up',
  // For everybody in the channels of the site.
  'announced',
  // A card that the bot answered with: kept so that it is redrawn, never sent.
  'shown',
] as const
export type NoticeKind = (typeof noticeKinds)[number]

/** Where a copy of a card stands on some platform, so that it can be changed later. */
export interface MessageRef {
  platform: string
  channel: string
  message: string
}

export interface Delivery extends MessageRef {
  user: string
  at: Instant
}

/** Something to be told to people, and where it was told. Every copy is redrawn when its subject changes. */
export interface Notice {
  id: string
  kind: NoticeKind
  about: { kind: 'request' | 'machine' | 'lease' | 'budget' | 'host' | 'pool' | 'terminals'; id: string }
  to: string[]
  at: Instant
  deliveries: Delivery[]
  /** Further machines that the same card is about. */
  also?: string[]
  /** Fixed words that belong to the notice itself, such as why something failed. */
  text: string | null
}

/** What came of telling somebody something. */
export interface Telling {
  /** The new copies. */
  copies: MessageRef[]
  /** Platforms that could not be asked or did not take it: trying again later can help. */
  waiting: { platform: string; why: string }[]
}

/** Tells people things (port, served by the bot). */
export interface Teller {
  /**
   * Sends one notice to one person on every platform on which they can be reached.
   * Called again after a crash: platforms that already hold a copy (`known`) are left alone, and so are all others when
   * one is named.
   */
  tell(notice: Notice, user: string, known: readonly Delivery[], platform?: string): Promise<Telling>
  /** Tells everybody in the site's channels, where there are such; otherwise as `tell`. */
  announce(notice: Notice, known: readonly Delivery[], platform?: string): Promise<Telling>
  /** Redraws a copy from the facts as they are now. A copy that is gone is success. @throws Outage. */
  redraw(notice: Notice, copy: Delivery): Promise<void>
}
