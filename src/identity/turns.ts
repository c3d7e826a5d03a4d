import { Outage } from '../base/errors.ts'

/** Lets work in, so much at once, the rest in order of arrival. */
export type Turns = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>

/**
 * @param limits.atOnce how much work may be in hand.
 * @param limits.waiting how much may wait; what comes beyond that is turned away, so that a flood cannot fill memory.
 * @returns what runs work in its turn. It rejects with the signal's reason when it is aborted while waiting, and with a
 *   transient `Outage` `directory_busy` when too much waits already.
 */
export function turns(limits: { atOnce: number; waiting: number }): Turns {
  const queue: (() => void)[] = []
  let inHand = 0

  function next(): void {
    if (inHand >= limits.atOnce) return
    const start = queue.shift()
    if (start === undefined) return
    inHand++
    start()
  }

  function admitted(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (queue.length >= limits.waiting) {
      throw new Outage('directory_busy', 'too many people are signing in at once', { transient: true })
    }
    return new Promise((resolve, reject) => {
      const start = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        queue.splice(queue.indexOf(start), 1)
        const reason: unknown = signal.reason
        reject(reason instanceof Error ? reason : new Error('aborted'))
      }
      signal.addEventListener('abort', leave, { once: true })
      queue.push(start)
      next()
    })
  }

  return async (signal, work) => {
    await admitted(signal)
    try {
      return await work()
    } finally {
      inHand--
      next()
    }
  }
}
