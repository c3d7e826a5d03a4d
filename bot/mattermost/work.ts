import { setTimeout as delay } from 'node:timers/promises'

/** Work that goes on beside answers: kept so that closing waits for it. */
export interface Work {
  carryOn: (work: Promise<void>) => void
  /** Being stopped ends every wait early: what is in hand is then finished without pauses. */
  wait: (time: number) => Promise<void>
  isStopped: () => boolean
  stop(): void
  /** Waits for what is in hand, but no longer than this. */
  finished(mostMillis: number): Promise<void>
}

export function openWork(): Work {
  const stopping = new AbortController()
  const inHand = new Set<Promise<void>>()
  return {
    carryOn(work) {
      inHand.add(work)
      void work.finally(() => inHand.delete(work))
    },
    async wait(time) {
      await delay(time, undefined, { signal: stopping.signal }).catch(() => undefined)
    },
    isStopped: () => stopping.signal.aborted,
    stop: () => stopping.abort(),
    async finished(mostMillis) {
      await Promise.race([Promise.allSettled([...inHand]), delay(mostMillis, undefined, { ref: false })])
    },
  }
}
