import { messageOf } from '../base/errors.ts'
import type { Ids } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { type Attempt, type Throttle, throttle, usualLimits } from '../identity/throttle.ts'
import type { Store } from '../store/store.ts'

/** How many attempts of the last minutes a process that starts wants to hear of. */
const mostHeard = 5000

/**
 * Counts failed sign-ins. Where several processes serve a site each tells the others, so that whoever guesses gets no more
 * tries by asking all of them, nor by waiting until one starts anew.
 */
export async function openThrottle(store: Store, { ids, log }: { ids: Ids; log: Log }): Promise<Throttle> {
  if (!store.shared) return throttle()
  const own = new Set<string>()
  const counting = throttle(usualLimits, (attempt) => {
    tell(attempt).catch((error: unknown) =>
      log.warn({ error: messageOf(error) }, 'other processes were not told of an attempt to sign in'),
    )
  })

  async function tell(attempt: Attempt): Promise<void> {
    const id = ids.next('A', attempt.at)
    own.add(id)
    try {
      await store.transact((tx) => tx.attempts.put({ ...attempt, id }))
    } finally {
      own.delete(id)
    }
  }

  async function hear(id: string): Promise<void> {
    const attempt = await store.read((tx) => tx.attempts.get(id))
    if (attempt !== undefined) counting.hear(attempt)
  }

  store.onCommit((changes) => {
    for (const { collection, id } of changes) {
      if (collection !== 'attempts' || own.has(id)) continue
      hear(id).catch((error: unknown) =>
        log.warn({ error: messageOf(error) }, 'an attempt to sign in elsewhere is not counted here'),
      )
    }
  })
  for (const attempt of await store.read((tx) => tx.attempts.upTo('at', '~', mostHeard))) {
    counting.hear(attempt)
  }
  return counting
}
