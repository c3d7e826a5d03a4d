import type { Timing } from '../../../bot/slack/pace.ts'

/** Waiting that takes no time, and an end of all that goes on after it was acknowledged. */
export function tracked(
  sleep: Timing['sleep'] = async () => undefined,
  now: Timing['now'] = () => Date.now(),
): { timing: Timing; idle: () => Promise<void> } {
  const works = new Set<Promise<unknown>>()
  const timing: Timing = {
    now,
    sleep,
    began(work) {
      const done = work.catch(() => undefined).finally(() => works.delete(done))
      works.add(done)
    },
  }
  return {
    timing,
    async idle(): Promise<void> {
      while (works.size > 0) await Promise.all(works)
    },
  }
}
