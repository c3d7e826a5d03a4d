import type { Clock } from '../src/base/clock.ts'
import { type Caller } from '../src/identity/person.ts'
import type { MessageRef } from '../src/notices/notice.ts'
import type { Operations } from '../src/operations/perform.ts'
import { redrawnKinds, type RedrawnKind, rememberCopy } from '../src/operations/remember-copy.ts'
import type { Site } from '../src/operations/site.ts'
import type { Card } from './card.ts'
import { drawNotice } from './notices.ts'

export interface CopyServices {
  operations: Operations
  site: Site
  clock: Clock
}

/** What a card is about, in two pieces; nothing where it is never drawn anew. */
export function aboutOf(card: Card): { kind: RedrawnKind; id: string } | undefined {
  const [, word, id] = /^([a-z]+):(.+)$/.exec(card.about ?? '') ?? []
  const kind = redrawnKinds.find((known) => known === word)
  return kind === undefined || id === undefined ? undefined : { kind, id }
}

/**
 * Keeps where a card stands that somebody was answered with, so that it is redrawn when its subject changes. Every
 * adapter does this for each card that it has posted or put in the place of another. What changed between drawing and
 * keeping would be missed, so a card that waits for something is drawn once more.
 * @param shown.zone the time zone of the reader, as it was drawn in
 * @returns the card to show instead, where it has to be drawn anew.
 */
export async function keepCopy(
  { operations, site, clock }: CopyServices,
  caller: Caller,
  card: Card,
  { ref, zone = site.timezone }: { ref: MessageRef; zone?: string },
): Promise<Card | undefined> {
  const about = aboutOf(card)
  if (about === undefined) return undefined
  const { platform, channel, message } = ref
  const copy = { platform, channel, message }
  // The same answer may be posted twice; it is remembered once.
  const idempotencyKey = `shown:${platform === 'web' ? '' : `${platform}:${channel}:`}${message}:${card.about ?? ''}`
  await operations.perform(rememberCopy, caller, { about, copy }, { idempotencyKey })
  if (card.tone !== 'wait') return undefined
  const now = clock.now()
  const drawing = { reader: caller, now, zone, currency: site.currency }
  const notice = { kind: 'shown', about, at: now, text: null, to: [caller.user] } as const
  return drawNotice({ operations, site, caller }, { ...notice, to: [caller.user] }, drawing)
}
