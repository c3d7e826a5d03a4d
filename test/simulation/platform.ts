import type { Card } from '../../bot/card.ts'
import type { Chat } from '../../bot/chat.ts'
import type { Instant } from '../../src/base/clock.ts'

/** A card that somebody has before them. `key` is what the bot knows it by: the id of its notice. */
export interface Post {
  user: string
  key: string
  at: Instant
  card: Card
}

/** A chat platform that nobody else can see: keeps what it was sent, each key once, whoever asks. */
export interface Platform {
  readonly posts: ReadonlyMap<string, Post>
  /** People whose account is away for a while. */
  readonly away: Set<string>
  /** As a process of the service reaches it. `through` may fail before the platform has it, or lose its answer. */
  chat(now: () => Instant, through: <T>(work: () => T) => Promise<T>): Chat
}

export function openPlatform(): Platform {
  const posts = new Map<string, Post>()
  const away = new Set<string>()
  return {
    posts,
    away,
    chat: (now, through) => ({
      platform: 'web',
      reaches: async (user) => !away.has(user),
      post: (user, card, key) =>
        through(() => {
          const message = `${user}/${key}`
          if (!posts.has(message)) posts.set(message, { user, key, card, at: now() })
          return { platform: 'web', channel: user, message }
        }),
      update: (ref, card) =>
        through(() => {
          const post = posts.get(ref.message)
          if (post !== undefined) posts.set(ref.message, { ...post, card })
        }),
      announce: () => Promise.resolve(null),
      zoneOf: () => Promise.resolve(null),
      status: () => ({ state: 'up', detail: '' }),
      check: () => Promise.resolve([]),
      close: () => Promise.resolve(),
    }),
  }
}
