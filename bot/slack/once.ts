/** Remembers for a while what has been seen, so that what a platform or a finger sends twice is taken once. */
export interface Once {
  /** Whether this is the first time within its while. */
  first(key: string, forMillis: number): boolean
  forget(key: string): void
}

const most = 5_000

export function openOnce(now: () => number): Once {
  const until = new Map<string, number>()
  return {
    first(key, forMillis) {
      const at = now()
      if ((until.get(key) ?? 0) > at) return false
      if (until.size >= most) {
        for (const [old, end] of until) if (end <= at || until.size >= most) until.delete(old)
      }
      until.set(key, at + forMillis)
      return true
    },
    forget: (key) => void until.delete(key),
  }
}
