import type { Instant } from '../../src/base/clock.ts'
import { Card } from '../card.ts'

/** A line of a conversation, as the page shows it. */
export interface Line {
  id: string
  /** Changes whenever the line does: part of what a press is known by. */
  version: string
  at: Instant
  said: { by: 'person'; text: string } | { by: 'jackdaw'; card: Card }
}

/** A stored message as a line. What was written by another version and cannot be read any more says so. */
export function lineOf(message: {
  id: string
  from: 'person' | 'jackdaw'
  body: unknown
  at: Instant
  editedAt: Instant | null
}): Line {
  const { id, from, body, at, editedAt } = message
  const facts = { id, at, version: editedAt ?? at }
  if (from === 'person')
    return { ...facts, said: { by: 'person', text: typeof body === 'string' ? body : '' } }
  const parsed = Card.safeParse(body)
  return { ...facts, said: { by: 'jackdaw', card: parsed.success ? parsed.data : unreadable } }
}

const unreadable: Card = {
  summary: 'This was written by another version and cannot be shown any more.',
  title: 'An old message',
  tone: 'neutral',
  parts: [],
}

/** The button of a card with this action and value. */
export function buttonOf(card: Card, wanted: { action: string; value: string }) {
  return card.parts
    .flatMap((part) => (part.kind === 'buttons' ? part.buttons : []))
    .find(({ action, value }) => action === wanted.action && value === wanted.value)
}
