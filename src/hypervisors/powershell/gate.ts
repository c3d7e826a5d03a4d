/** Lets so many in at a time, and the others in the order in which they came. */
export interface Gate {
  /** Resolves when it is one's turn, to the function with which one leaves; rejects with the signal's reason. */
  enter(signal: AbortSignal): Promise<() => void>
}

export function gate(atOnce: number): Gate {
  const waiting: (() => void)[] = []
  let inside = 0

  function leave(): void {
    const next = waiting.shift()
    if (next === undefined) inside -= 1
    else next()
  }

  return {
    enter(signal) {
      if (inside < atOnce) {
        inside += 1
        return Promise.resolve(leave)
      }
      return new Promise((resolve, reject) => {
        const giveUp = () => {
          waiting.splice(waiting.indexOf(turn), 1)
          const reason: unknown = signal.reason
          reject(reason instanceof Error ? reason : new Error('aborted'))
        }
        const turn = () => {
          signal.removeEventListener('abort', giveUp)
          resolve(leave)
        }
        signal.addEventListener('abort', giveUp, { once: true })
        waiting.push(turn)
      })
    },
  }
}
