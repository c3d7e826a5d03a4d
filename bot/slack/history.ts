import type { MessageRef } from '../../src/notices/notice.ts'
import { type Card } from '../card.ts'
import { card as cardFrom } from '../cards/parts.ts'
import type { Posts } from './posts.ts'

/**
 * What became of a card, told in its thread: the card itself shows how things are now, its thread how they came about.
 * Progress is shown in place only; a line is added when a card says something else than before.
 */
export interface History {
  /** A card was posted as it is. */
  drawn(ref: MessageRef, card: Card): void
  /** A card was drawn anew. What it was before a restart is not known, and then nothing is added. */
  changed(ref: MessageRef, card: Card, zone: string): Promise<void>
}

const mostKept = 5_000

export function openHistory(posts: Pick<Posts, 'post'>): History {
  const before = new Map<string, Card['tone']>()
  const keep = (ref: MessageRef, card: Card): Card['tone'] | undefined => {
    const place = `${ref.channel}/${ref.message}`
    const tone = before.get(place)
    before.delete(place)
    before.set(place, card.tone)
    const [oldest] = before.keys()
    if (before.size > mostKept && oldest !== undefined) before.delete(oldest)
    return tone
  }
  return {
    drawn: (ref, card) => void keep(ref, card),
    async changed(ref, card, zone) {
      const tone = keep(ref, card)
      if (tone === undefined || tone === card.tone) return
      const { summary, title } = card
      const line = cardFrom({ summary, title, tone: card.tone })
      await posts.post(ref.channel, line, { zone, thread: ref.message })
    },
  }
}
