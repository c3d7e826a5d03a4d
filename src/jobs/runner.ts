import { earliest, type Instant, latest, millis, plusMillis } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { CollectionName } from '../store/store.ts'
import { carryOut } from './carry-out.ts'
import type { Job } from './job.ts'
import type { Sweep } from './schedule.ts'
import { isAnyDue, putBackAll, putBackRunOut, renew, takeDue, type Taker, usualHoldMillis } from './taking.ts'
import type { Tools, Trades } from './trade.ts'

/**
 * Runs jobs when they are due: several at once, one at a time for each subject, each until it is done or has failed.
 * Several processes may do so on one store: a job is in one pair of hands, which says every few seconds that it still has
 * it. When nothing is heard for `holdMillis`, another takes it over, and the end of the first run counts for nothing.
 */
export interface Runner {
  /** Puts back what nobody can be at work on any more, then works until stopped. */
  start(): Promise<void>
  /** Takes no new job, gives those in hand `graceMillis`, then aborts them and puts them back. Harmless twice. */
  stop(graceMillis: number): Promise<void>
  /** Does everything that is due now and what follows from it. For tests, which move the clock themselves. */
  drain(): Promise<void>
  /**
   * Begins what is due now and waits for none of it, so that a test may let others go on meanwhile. Gives back whether
   * there was anything.
   */
  begin(): Promise<boolean>
  /** When something is due next. */
  nextDue(): Promise<Instant | null>
}

export interface RunnerOptions {
  trades: Trades
  sweeps: readonly Sweep[]
  concurrency: number
  /** A chance in [0, 1) that spreads retries; handed in so that tests replay. */
  chance: () => number
  /** Who we are among the processes of the site. */
  process?: string
  /** How long nothing may be heard of a process before what it has in hand is taken over. */
  holdMillis?: number
}

const longestNapMillis = 5_000
const gatherMillis = 10
/** How soon is looked again at what is due and could not be taken, or when the store did not answer. */
const soonMillis = { blocked: 250, failed: 1_000 }

interface InHand {
  job: Job
  done: Promise<void>
  abort: AbortController
}

export function openRunner(tools: Tools, options: RunnerOptions): Runner {
  const { store, clock, log } = tools
  const { process = 'alone', holdMillis = usualHoldMillis } = options
  const inHand = new Map<string, InHand>()
  let loop: Promise<void> | undefined
  let stopping = false
  let isWoken = false
  let endNap: () => void = () => undefined
  let unsubscribe: () => void = () => undefined
  let renewal: NodeJS.Timeout | undefined
  let heldUntil: Instant = ''

  function wake(): void {
    isWoken = true
    endNap()
  }

  async function take(): Promise<Job[]> {
    const room = options.concurrency - inHand.size
    const taker: Taker = { process, now: clock.now(), inHand: new Set(inHand.keys()), holdMillis }
    if (room <= 0 || !(await store.read((tx) => isAnyDue(tx, taker)))) return []
    const { lost, taken } = await store.transact(async (tx) => ({
      lost: await putBackRunOut(tx, taker),
      taken: await takeDue(tx, taker, room),
    }))
    for (const { id, kind, takenBy } of lost)
      log.warn({ job: id, kind, takenBy }, 'job taken from a process that is lost')
    return taken
  }

  function begin(job: Job): void {
    const abort = new AbortController()
    const done = carryOut(tools, options, job, abort.signal)
      .catch((error: unknown) => log.error({ job: job.id, error: messageOf(error) }, 'job not recorded'))
      .finally(() => {
        inHand.delete(job.id)
        wake()
      })
    inHand.set(job.id, { job, done, abort })
    heldUntil = latest(heldUntil, job.takenUntil)
    if (loop !== undefined) renewLater()
  }

  function renewLater(): void {
    renewal ??= setTimeout(() => void renewAll(), holdMillis / 3)
  }

  /** Says that what is in hand still is. Work on what is not, or may not be any more, is given up. */
  async function renewAll(): Promise<void> {
    const held = [...inHand.values()]
    const jobs = held.map(({ job }) => job)
    const now = clock.now()
    const until = plusMillis(now, holdMillis)
    try {
      const lost = await store.transact((tx) => renew(tx, jobs, until))
      for (const id of lost) inHand.get(id)?.abort.abort()
      heldUntil = until
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'jobs in hand not renewed')
      if (store.shared && heldUntil <= now) for (const { abort } of held) abort.abort()
    }
    renewal = undefined
    if (inHand.size > 0 && !stopping) renewLater()
  }

  async function round(): Promise<boolean> {
    let busy = false
    for (const sweep of options.sweeps) busy = (await sweep.run(tools)) || busy
    const jobs = await take()
    jobs.forEach(begin)
    return busy || jobs.length > 0
  }

  async function nextDue(): Promise<Instant | null> {
    const found = await store.read((tx) =>
      Promise.all([
        ...[tx.jobs.lowest('due'), tx.jobs.lowest('taken')],
        ...options.sweeps.map((sweep) => sweep.next(tx, clock.now())),
      ]),
    )
    return earliest(...found)
  }

  /** Waits until something is due or is committed. A commit that came while the last round was at work counts too. */
  async function nap(): Promise<void> {
    const failed = () => plusMillis(clock.now(), soonMillis.failed)
    const due = await nextDue().catch(failed)
    const wait = due === null ? longestNapMillis : millis(due) - millis(clock.now())
    const pause = wait > 0 ? Math.max(gatherMillis, Math.min(wait, longestNapMillis)) : soonMillis.blocked
    if (!isWoken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause)
        endNap = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    // A burst of commits is looked at once, not once for each.
    if (isWoken) await new Promise((resolve) => setTimeout(resolve, gatherMillis))
  }

  async function work(): Promise<void> {
    while (!stopping) {
      try {
        isWoken = false
        if (!(await round())) await nap()
      } catch (error) {
        log.warn({ error: messageOf(error) }, 'jobs wait for the store')
        await nap()
      }
    }
  }

  return {
    async start() {
      // Where others are at work too, what a lost one had in hand runs out.
      if (!store.shared) await store.transact((tx) => putBackAll(tx, clock.now()))
      unsubscribe = store.onCommit((changes) => {
        if (changes.some(({ collection }) => !nothingToDo.includes(collection))) wake()
      })
      loop = work()
    },
    async stop(graceMillis) {
      stopping = true
      unsubscribe()
      wake()
      await loop
      const timer = setTimeout(() => {
        for (const { abort } of inHand.values()) abort.abort()
      }, graceMillis)
      await Promise.all([...inHand.values()].map(({ done }) => done))
      clearTimeout(timer)
      clearTimeout(renewal)
    },
    async drain() {
      for (;;) {
        const busy = await round()
        await Promise.all([...inHand.values()].map(({ done }) => done))
        if (!busy && inHand.size === 0) return
      }
    },
    begin: round,
    nextDue,
  }
}

/** Collections whose changes leave no work behind. */
const nothingToDo: readonly CollectionName[] = [
  'sessions',
  'answers',
  'messages',
  'processes',
  'relays',
  'links',
  'settings',
  'vouchers',
  'attempts',
]
