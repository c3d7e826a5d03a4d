import type { Clock } from '../../src/base/clock.ts'
import { type Caller, system } from '../../src/identity/person.ts'
import type { MessageRef } from '../../src/notices/notice.ts'
import { editMessage, postMessage, showMessage } from '../../src/operations/messages.ts'
import type { Operations } from '../../src/operations/perform.ts'
import type { Site } from '../../src/operations/site.ts'
import type { Card } from '../card.ts'
import { keepCopy } from '../copies.ts'
import { type Line, lineOf } from './messages.ts'

export interface PostServices {
  operations: Operations
  site: Site
  clock: Clock
}

/** Where lines of the built-in chat are put. */
export interface Posts {
  /** A line that a person typed. */
  line(caller: Caller, text: string, key: string): Promise<void>
  /** A card for somebody; the same key again gives the first one's place. */
  card(user: string, card: Card, key: string): Promise<MessageRef>
  replace(id: string, card: Card): Promise<void>
  /**
   * Cards that answer somebody. The first takes the place of `instead` where there is one. Those that are about something
   * are remembered, so that they are redrawn when it changes.
   */
  answers(
    caller: Caller,
    cards: readonly Card[],
    options: { key: string; instead?: Line | undefined },
  ): Promise<void>
  /** A line of the caller's own conversation. */
  find(caller: Caller, id: string): Promise<Line | undefined>
}

export function openPosts(services: PostServices): Posts {
  const { operations } = services
  const card = async (user: string, body: Card, key: string): Promise<MessageRef> => {
    const { id } = await operations.perform(postMessage, system(), { user, from: 'jackdaw', body, key })
    return { platform: 'web', channel: user, message: id }
  }
  const replace = async (id: string, body: Card): Promise<void> => {
    await operations.perform(editMessage, system(), { id, body })
  }
  return {
    card,
    replace,
    async line(caller, text, key) {
      await operations.perform(postMessage, caller, { user: caller.user, from: 'person', body: text, key })
    },
    async find(caller, id) {
      const { message } = await operations.perform(showMessage, caller, { id })
      return message === null ? undefined : lineOf({ ...message, body: message.body })
    },
    async answers(caller, cards, { key, instead }) {
      for (const [index, body] of cards.entries()) {
        if (index === 0 && instead !== undefined) {
          await replace(instead.id, body)
          const before = instead.said.by === 'jackdaw' ? instead.said.card.about : undefined
          if (before !== body.about) await remember(services, caller, body, instead.id)
        } else {
          const number = String(index + 1).padStart(2, '0')
          const { message } = await card(caller.user, body, `${key}.${number}`)
          await remember(services, caller, body, message)
        }
      }
    },
  }
}

async function remember(services: PostServices, caller: Caller, card: Card, message: string): Promise<void> {
  const ref = { platform: 'web', channel: caller.user, message }
  const fresh = await keepCopy(services, caller, card, { ref })
  if (fresh !== undefined)
    await services.operations.perform(editMessage, system(), { id: message, body: fresh })
}
