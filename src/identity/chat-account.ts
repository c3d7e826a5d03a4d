import type { Instant } from '../base/clock.ts'

/** Chat platforms on which somebody has an account of their own there. */
export const chatPlatforms = ['slack', 'mattermost'] as const
export type ChatPlatform = (typeof chatPlatforms)[number]

/** An account as its platform describes it. */
export interface ChatAccount {
  platform: ChatPlatform
  /** Stable, and unique on its platform: with the team or the server in it where ids repeat. */
  id: string
  /** What people there call it. */
  name: string
  /** Only where the platform has made sure that it is theirs. */
  email: string | null
  /** What the platform says that the directory calls them, where it takes its people from one. */
  directoryName: string | null
}

/** How it is known whose an account is: the person said so after signing in, or it was found out. */
export type LinkKind = 'confirmed' | 'directory' | 'email'

/**
 * Whose a chat account is. Only a confirmed link is believed by itself: the others are found out anew each time, and
 * kept so that it is known where somebody can be reached.
 */
export interface Link {
  /** `platform|account`. */
  id: string
  platform: ChatPlatform
  account: string
  name: string
  user: string
  how: LinkKind
  at: Instant
}

export function linkId({ platform, id }: Pick<ChatAccount, 'platform' | 'id'>): string {
  return `${platform}|${id}`
}
