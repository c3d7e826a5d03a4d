/** What a driver tells those who follow its machines. */
export interface ChangeFeed {
  tell(ref: string): void
  /** The refs that are told from this call on, each once until it is taken. Ends by rejecting with the signal's reason. */
  follow(signal: AbortSignal): AsyncIterable<string>
}

interface Listener {
  waiting: Set<string>
  wake(): void
}

/** Passes on which machines may have changed. Who is slow to listen hears of each machine once, not of each change. */
export function changeFeed(): ChangeFeed {
  const listeners = new Set<Listener>()

  async function* heard(listener: Listener, signal: AbortSignal): AsyncGenerator<string> {
    const wake = () => listener.wake()
    signal.addEventListener('abort', wake)
    try {
      for (;;) {
        signal.throwIfAborted()
        for (const ref of listener.waiting) {
          listener.waiting.delete(ref)
          yield ref
          signal.throwIfAborted()
        }
        await new Promise<void>((resolve) => (listener.wake = resolve))
      }
    } finally {
      signal.removeEventListener('abort', wake)
      listeners.delete(listener)
    }
  }

  return {
    tell(ref) {
      for (const listener of listeners) {
        listener.waiting.add(ref)
        listener.wake()
      }
    },
    follow(signal) {
      const listener: Listener = { waiting: new Set(), wake() {} }
      listeners.add(listener)
      signal.addEventListener('abort', () => listeners.delete(listener), { once: true })
      return heard(listener, signal)
    },
  }
}
