import { type Clock, type Instant, plusMillis } from '../src/base/clock.ts'
import { Outage } from '../src/base/errors.ts'
import type { Chat } from './chat.ts'

const pauses = { firstMillis: 5_000, maxMillis: 60_000 }

/**
 * A platform that did not answer is left alone for a moment: whatever wants to be sent meanwhile is told so at once and
 * waits in its job, so that a platform that is down costs the others nothing.
 */
export function steady(chat: Chat, clock: Clock): Chat {
  let pauseMillis = 0
  let until: Instant = ''
  let said = ''

  async function tried<T>(work: () => Promise<T>): Promise<T> {
    if (clock.now() < until) throw unreachable(said)
    try {
      const done = await work()
      pauseMillis = 0
      until = ''
      return done
    } catch (error) {
      if (error instanceof Outage && error.code === 'chat_unreachable') {
        pauseMillis = Math.min(pauses.maxMillis, Math.max(pauses.firstMillis, pauseMillis * 2))
        until = plusMillis(clock.now(), pauseMillis)
        said = error.message
      }
      throw error
    }
  }

  return {
    platform: chat.platform,
    reaches: (user) => tried(() => chat.reaches(user)),
    post: (user, card, key) => tried(() => chat.post(user, card, key)),
    announce: (card, key) => tried(() => chat.announce(card, key)),
    update: (ref, card) => tried(() => chat.update(ref, card)),
    zoneOf: (user) => chat.zoneOf(user),
    status() {
      const status = chat.status()
      return status.state === 'up' && until !== '' ? { state: 'down', detail: said } : status
    },
    check: () => chat.check(),
    close: () => chat.close(),
  }
}

function unreachable(said: string): Outage {
  return new Outage('chat_unreachable', said, { transient: true })
}
