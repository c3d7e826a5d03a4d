import { realTiming, type Timing } from './pace.ts'

/** What is carried out after it was acknowledged. */
export interface Work {
  /** Starts when its turn comes. @returns whether there was room for it to wait */
  start(work: () => Promise<void>): boolean
  /** Waits for what is in hand, for a moment. */
  finished(): Promise<void>
}

/** So much at once, in order of arrival: acknowledgements come before it, since Slack waits for them. */
const limits = { atOnce: 8, waiting: 2_000 }
/** How long work in hand may take when we stop. */
const graceMillis = 2_000

export function openWork(timing: Pick<Timing, 'began'>): Work {
  const waiting: (() => Promise<void>)[] = []
  const inHand = new Set<Promise<void>>()

  function next(): void {
    if (inHand.size >= limits.atOnce) return
    const work = waiting.shift()
    if (work === undefined) return
    const done = work().finally(() => {
      inHand.delete(done)
      next()
    })
    inHand.add(done)
  }

  return {
    start(work) {
      if (waiting.length >= limits.waiting) return false
      const done = new Promise<void>((resolve, reject) => {
        waiting.push(() => work().then(resolve, reject))
      })
      timing.began(done)
      // Whatever else has come in by now is acknowledged first.
      setImmediate(next)
      return true
    },
    async finished() {
      await Promise.race([Promise.all(inHand), realTiming.sleep(graceMillis)])
    },
  }
}
