import { Outage } from '../../src/base/errors.ts'
import { SlackBusy } from './api.ts'

/** How time passes between calls: real, or as a test wants it. */
export interface Timing {
  now(): number
  sleep(millis: number): Promise<void>
  /** Told of work that goes on after whatever caused it was acknowledged: a test waits for it. */
  began(work: Promise<unknown>): void
}

export const realTiming: Timing = {
  now: () => performance.now(),
  sleep: (millis) =>
    new Promise((resolve) => {
      setTimeout(resolve, millis).unref()
    }),
  began: () => undefined,
}

/** A message a second in a channel, a few at once at first (docs.slack.dev, "Rate limits": chat.postMessage). */
const postsAtOnce = 3
const postMillis = 1_000
/** Edits of one message, so that what changes often is shown as it last was. */
const editMillis = 1_200
/** Longer waits are not ours: whoever asked tries again later. */
const longestWaitSeconds = 30
const mostTries = 4

/** Sends no faster than Slack takes it, each channel and each message for itself. */
export interface Pace {
  /** Runs after those before it in the channel, when a message may be posted there again. */
  post<T>(channel: string, work: () => Promise<T>): Promise<T>
  /** Edits a message; of several edits that wait for it only the last is done, and all of them end with it. */
  edit(message: string, work: () => Promise<void>): Promise<void>
  /** Runs at once, and again when Slack says so. */
  call<T>(work: () => Promise<T>): Promise<T>
}

interface Lane {
  tail: Promise<unknown>
  /** When its posts will have been paid for: a post costs a second, three are lent. */
  paidAt: number
}

interface Edits {
  last: number
  waiting: { work: () => Promise<void>; done: Promise<void> } | undefined
  tail: Promise<void>
}

export function openPace(timing: Timing): Pace {
  const lanes = new Map<string, Lane>()
  const edits = new Map<string, Edits>()

  async function call<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof SlackBusy)) throw error
        if (error.retryAfterSeconds > longestWaitSeconds || tries >= mostTries) {
          throw new Outage('chat_busy', error.message, { transient: true, cause: error })
        }
        await timing.sleep(error.retryAfterSeconds * 1000)
      }
    }
  }

  async function paid(lane: Lane): Promise<void> {
    const now = timing.now()
    const wait = lane.paidAt - now - postMillis * (postsAtOnce - 1)
    lane.paidAt = Math.max(now, lane.paidAt) + postMillis
    if (wait > 0) await timing.sleep(wait)
  }

  function post<T>(channel: string, work: () => Promise<T>): Promise<T> {
    const lane = lanes.get(channel) ?? { tail: Promise.resolve(), paidAt: 0 }
    lanes.set(channel, lane)
    const done = lane.tail.then(async () => {
      await paid(lane)
      return call(work)
    })
    const tail = done.then(nothing, nothing).then(() => {
      if (lane.tail === tail && lane.paidAt <= timing.now()) lanes.delete(channel)
    })
    lane.tail = tail
    return done
  }

  async function editNow(message: string, state: Edits): Promise<void> {
    const wait = state.last + editMillis - timing.now()
    if (wait > 0) await timing.sleep(wait)
    const work = state.waiting?.work ?? nothing
    state.waiting = undefined
    state.last = timing.now()
    await call(async () => work())
    forgetOld(edits, timing.now())
    edits.set(message, state)
  }

  return {
    call,
    post,
    edit(message, work) {
      const state = edits.get(message) ?? {
        last: -editMillis,
        waiting: undefined,
        tail: Promise.resolve(),
      }
      edits.set(message, state)
      if (state.waiting !== undefined) {
        state.waiting.work = work
        return state.waiting.done
      }
      // Whatever comes before this has begun takes its place.
      const waiting = { work, done: Promise.resolve() }
      state.waiting = waiting
      waiting.done = state.tail.then(() => editNow(message, state))
      state.tail = waiting.done.catch(nothing)
      return waiting.done
    },
  }
}

function nothing(): void {
  return undefined
}

/** Messages that were edited long enough ago pay for nothing any more. */
function forgetOld(edits: Map<string, Edits>, now: number): void {
  if (edits.size < 2_000) return
  for (const [message, { last, waiting }] of edits) {
    if (waiting === undefined && last + editMillis < now) edits.delete(message)
  }
}
