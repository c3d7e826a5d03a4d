import { instant, type Instant, millis } from '../../src/base/clock.ts'
import { type MovableClock, movableClock } from '../operations/core.ts'
import type { Random } from '../torture/random.ts'

/** Whose waiting it is: a process of the service, which may be killed. */
export type Owner = number

/**
 * Time and the order of things in a simulation. Whatever reaches outside (disk, driver, chat, directory) waits here, and
 * goes on one at a time in an order of chance; whatever takes time waits for its instant. Nothing else moves anything,
 * so that the chance of a seed decides all there is to decide.
 */
export interface Agenda {
  readonly clock: MovableClock
  /** Something outside is about to happen: waits for its turn. */
  turn(owner: Owner): Promise<void>
  /** Takes time. @throws the signal's reason once it is aborted. */
  sleep(owner: Owner, amountMillis: number, signal?: AbortSignal): Promise<void>
  /** What `AbortSignal.timeout` is in real time. */
  deadline(owner: Owner, amountMillis: number): AbortSignal
  /** Lets go what waits for its turn, at most `count` of them. Gives back how many did. Time stands still. */
  calm(count?: number): Promise<number>
  /** Lets things go on until work has ended; time passes only when nothing else is left to wait for. */
  until<T>(work: Promise<T>): Promise<T>
  /** When something that takes time is over next; with `also`, or some deadline has passed. */
  next(also?: 'deadlines'): Instant | null
  /** Moves the clock, stopping for whatever is over on the way. */
  advance(to: Instant): Promise<void>
  /** The process is gone: nothing of it goes on, save what chance has finished at that very moment. */
  drop(owner: Owner): Promise<void>
}

interface Turn {
  owner: Owner
  go: () => void
}

interface Timer extends Turn {
  at: number
  order: number
  /** Something that goes on by itself, whoever asked for it is gone. */
  outlives: boolean
}

export class Stuck extends Error {}

export function openAgenda(start: Instant, random: Random): Agenda {
  const clock = movableClock(start)
  const turns: Turn[] = []
  let timers: Timer[] = []
  const gone = new Set<Owner>()
  let order = 0

  function wait(owner: Owner, amount: number, go: () => void, outlives = false): Timer {
    const timer = { owner, go, outlives, at: millis(clock.now()) + Math.max(0, amount), order: order++ }
    const behind = timers.findIndex(({ at }) => at > timer.at)
    timers.splice(behind === -1 ? timers.length : behind, 0, timer)
    return timer
  }

  function cancel(timer: Timer): void {
    timers = timers.filter((each) => each !== timer)
  }

  async function fire(): Promise<boolean> {
    const timer = timers.shift()
    if (timer === undefined) return false
    clock.set(instant(Math.max(timer.at, millis(clock.now()))))
    timer.go()
    await quiet()
    return true
  }

  async function calm(count = Infinity): Promise<number> {
    await quiet()
    let done = 0
    while (done < count && turns.length > 0) {
      const [turn] = turns.splice(random.below(turns.length), 1)
      turn?.go()
      done += 1
      await quiet()
    }
    return done
  }

  return {
    clock,
    calm,
    turn: (owner) =>
      new Promise((resolve) => {
        if (!gone.has(owner)) turns.push({ owner, go: resolve })
      }),
    sleep: (owner, amount, signal) =>
      new Promise((resolve, reject) => {
        if (gone.has(owner)) return
        const timer = wait(owner, amount, resolve, true)
        signal?.addEventListener(
          'abort',
          () => {
            cancel(timer)
            reject(reasonOf(signal))
          },
          { once: true },
        )
      }),
    deadline(owner, amount) {
      const controller = new AbortController()
      wait(owner, amount, () => controller.abort(new Error('the deadline has passed')))
      return controller.signal
    },
    async until(work) {
      const over = { is: false }
      const end = () => void (over.is = true)
      work.then(end, end)
      const isOver = () => over.is
      for (;;) {
        await quiet()
        if (isOver()) return work
        if ((await calm(1)) > 0) continue
        if (!(await fire())) throw new Stuck('something waits for what never comes')
      }
    },
    next: (also) => {
      const timer = timers.find(({ outlives }) => outlives || also !== undefined)
      return timer === undefined ? null : instant(timer.at)
    },
    async advance(to) {
      while (timers[0] !== undefined && timers[0].at <= millis(to)) {
        await fire()
        await calm()
      }
      if (clock.now() < to) clock.set(to)
    },
    async drop(owner) {
      gone.add(owner)
      turns.splice(0, turns.length, ...turns.filter((turn) => turn.owner !== owner))
      const [mine, others] = [
        timers.filter((each) => each.owner === owner),
        timers.filter((each) => each.owner !== owner),
      ]
      timers = others
      for (const timer of mine) if (timer.outlives && random.next() < 0.5) timer.go()
      await quiet()
    },
  }
}

/** Everything that can go on without anybody outside has gone on. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error('aborted')
}
