/** How fast one server is asked. Mattermost allows 10 calls a second and 100 at once where it limits at all. */
export interface Pace {
  /** Waits for a turn. Turns are given in the order in which they were asked for. */
  turn(): Promise<void>
  /** The server said that it is too much: nobody has a turn before this time has passed. */
  holdBack(millis: number): void
}

export interface PaceOptions {
  perSecond: number
  burst: number
  nowMillis: () => number
  wait: (millis: number) => Promise<void>
}

export function openPace({ perSecond, burst, nowMillis, wait }: PaceOptions): Pace {
  const spacing = 1000 / perSecond
  // The time up to which turns are given away; a burst may run ahead of it.
  let given = -Infinity
  let heldUntil = -Infinity
  return {
    async turn() {
      const now = nowMillis()
      given = Math.max(given, now - spacing * (burst - 1), heldUntil) + spacing
      const due = given - spacing
      if (due > now) await wait(due - now)
    },
    holdBack(millis) {
      heldUntil = Math.max(heldUntil, nowMillis() + millis)
    },
  }
}

/**
 * Edits of one thing, far enough apart: of those that come in between only the last is made, and all who asked wait for it.
 */
export interface Edits {
  /** @returns what the edit that was made says: whether the thing still stands */
  edit(id: string, work: () => Promise<boolean>): Promise<boolean>
}

interface Pending {
  work: () => Promise<boolean>
  done: Promise<boolean>
}

export function openEdits(options: {
  apartMillis: number
  nowMillis: () => number
  wait: (millis: number) => Promise<void>
}): Edits {
  const { apartMillis, nowMillis, wait } = options
  const last = new Map<string, number>()
  const pending = new Map<string, Pending>()

  async function make(id: string, first: () => Promise<boolean>): Promise<boolean> {
    const since = nowMillis() - (last.get(id) ?? -Infinity)
    if (since < apartMillis) await wait(apartMillis - since)
    const work = pending.get(id)?.work ?? first
    pending.delete(id)
    // What is older than the distance needs no remembering.
    for (const [other, at] of last) if (nowMillis() - at > apartMillis) last.delete(other)
    last.set(id, nowMillis())
    return work()
  }

  return {
    edit(id, work) {
      const waiting = pending.get(id)
      if (waiting !== undefined) {
        waiting.work = work
        return waiting.done
      }
      const entry: Pending = { work, done: Promise.resolve(false) }
      pending.set(id, entry)
      entry.done = make(id, work)
      return entry.done
    },
  }
}
