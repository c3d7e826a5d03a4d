import { type Instant, earliest, plusMillis } from '../base/clock.ts'
import { messageOf, Outage } from '../base/errors.ts'
import { backoffMillis, withDeadline } from '../base/retry.ts'
import { move } from '../base/states.ts'
import type { Transaction } from '../store/store.ts'
import { type Job, type JobKind, type JobStage, jobStates } from './job.ts'
import type { Sweep } from './schedule.ts'
import type { Tools, Trade, Trades, Work } from './trade.ts'

/** Runs jobs when they are due: several at once, one at a time for each subject, each until it is done or has failed. */
export interface Runner {
  /** Puts back what a process that died was running, then works until stopped. */
  start(): Promise<void>
  /** Takes no new job, gives those in hand `graceMillis`, then aborts them and puts them back. Harmless twice. */
  stop(graceMillis: number): Promise<void>
  /** Does everything that is due now and what follows from it. For tests, which move the clock themselves. */
  drain(): Promise<void>
  /** When something is due next. */
  nextDue(): Promise<Instant | null>
}

export interface RunnerOptions {
  trades: Trades
  sweeps: readonly Sweep[]
  concurrency: number
  /** A chance in [0, 1) that spreads retries; handed in so that tests replay. */
  chance: () => number
}

const slackMillis = 30_000
const longestNapMillis = 5_000
const gatherMillis = 10

export function openRunner(tools: Tools, options: RunnerOptions): Runner {
  const { store, clock, log } = tools
  const inHand = new Map<string, { done: Promise<void>; abort: AbortController }>()
  let loop: Promise<void> | undefined
  let stopping = false
  let isWoken = false
  const markWoken = (): void => {
    isWoken = true
  }
  let wake = markWoken
  let unsubscribe: () => void = () => undefined

  async function take(): Promise<Job[]> {
    const room = options.concurrency - inHand.size
    const now = clock.now()
    if (room <= 0 || (await store.read((tx) => tx.jobs.upTo('due', now, 1))).length === 0) return []
    return store.transact((tx) => takeDue(tx, now, room, options.trades))
  }

  function begin(job: Job): void {
    const abort = new AbortController()
    const done = carryOut(tools, options, job, abort.signal)
      .catch((error: unknown) => log.error({ job: job.id, error: messageOf(error) }, 'job not recorded'))
      .finally(() => {
        inHand.delete(job.id)
        wake()
      })
    inHand.set(job.id, { done, abort })
  }

  async function round(): Promise<boolean> {
    let busy = false
    for (const sweep of options.sweeps) busy = (await sweep.run(tools)) || busy
    const jobs = await take()
    jobs.forEach(begin)
    return busy || jobs.length > 0
  }

  async function nextDue(): Promise<Instant | null> {
    const [job, ...sweeps] = await store.read((tx) =>
      Promise.all([tx.jobs.lowest('due'), ...options.sweeps.map((sweep) => sweep.next(tx, clock.now()))]),
    )
    return earliest(job, ...sweeps)
  }

  /** Waits until something is due or is committed. A commit that came while the last round was at work counts too. */
  async function nap(): Promise<void> {
    const due = await nextDue()
    const wait = due === null ? longestNapMillis : Date.parse(due) - Date.parse(clock.now())
    if (!isWoken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(gatherMillis, Math.min(wait, longestNapMillis)))
        wake = () => {
          clearTimeout(timer)
          markWoken()
          resolve()
        }
      })
      wake = markWoken
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
        await nap().catch(() => undefined)
      }
    }
  }

  return {
    async start() {
      await store.transact((tx) => putBackTaken(tx, clock.now()))
      unsubscribe = store.onCommit((changes) => {
        if (changes.some(({ collection }) => collection !== 'sessions' && collection !== 'answers')) wake()
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
    },
    async drain() {
      for (;;) {
        const busy = await round()
        await Promise.all([...inHand.values()].map(({ done }) => done))
        if (!busy && inHand.size === 0) return
      }
    },
    nextDue,
  }
}

/** Takes due jobs, at most one for each subject. */
async function takeDue(tx: Transaction, now: Instant, room: number, trades: Trades): Promise<Job[]> {
  const taken: Job[] = []
  const subjects = new Set<string>()
  for (const job of await tx.jobs.upTo('due', now, room * 4)) {
    if (taken.length === room) break
    const others = await tx.jobs.find('subject', job.subject)
    if (subjects.has(job.subject) || others.some(({ state }) => state === 'running')) continue
    subjects.add(job.subject)
    const running = {
      ...move(jobStates, job, 'running', { at: now }),
      attempts: job.attempts + 1,
      takenUntil: plusMillis(now, trades[job.kind].deadlineMillis + slackMillis),
    }
    await tx.jobs.put(running)
    taken.push(running)
  }
  return taken
}

/** Jobs that were running when a process died are taken up again from their first unfinished stage. */
async function putBackTaken(tx: Transaction, now: Instant): Promise<void> {
  for (const job of await tx.jobs.upTo('taken', '~', Number.MAX_SAFE_INTEGER)) {
    await tx.jobs.put(putBack(job, now, { attempts: job.attempts }))
  }
}

function putBack(job: Job, now: Instant, how: { attempts: number; dueAt?: Instant; error?: string }): Job {
  return {
    ...move(jobStates, job, 'queued', { at: now, reason: how.error ?? 'put back' }),
    attempts: how.attempts,
    dueAt: how.dueAt ?? now,
    takenUntil: null,
    error: how.error ?? job.error,
    stages: job.stages.map((stage) => (stage.state === 'done' ? stage : { ...stage, state: 'waiting' })),
  }
}

async function carryOut(tools: Tools, options: RunnerOptions, job: Job, stop: AbortSignal): Promise<void> {
  const trade = tradeOf(options.trades, job.kind)
  try {
    await withDeadline(job.kind, trade.deadlineMillis, stop, (signal) =>
      trade.run(workFor(tools, job, signal)),
    )
    await tools.store.transact(async (tx) => {
      const last = (await tx.jobs.get(job.id)) ?? job
      const now = tools.clock.now()
      await tx.jobs.put({
        ...move(jobStates, last, 'done', { at: now }),
        takenUntil: null,
        endedAt: now,
        error: null,
      })
    })
  } catch (error) {
    await tools.store.transact((tx) => recordFailure(tx, tools, options, job, error, stop.aborted))
  }
}

async function recordFailure(
  tx: Transaction,
  tools: Tools,
  options: RunnerOptions,
  job: Job,
  error: unknown,
  stopped: boolean,
): Promise<void> {
  const last = (await tx.jobs.get(job.id)) ?? job
  const trade = tradeOf(options.trades, job.kind)
  const now = tools.clock.now()
  const why = messageOf(error)
  if (stopped) return tx.jobs.put(putBack(last, now, { attempts: last.attempts - 1 }))
  const again = error instanceof Outage && error.transient && last.attempts < trade.attempts
  tools.log.warn({ job: job.id, kind: job.kind, attempt: last.attempts, again, error: why }, 'job went wrong')
  if (again) {
    const pause = backoffMillis(last.attempts, {
      firstMillis: 1000,
      maxMillis: 60_000,
      spread: options.chance(),
    })
    return tx.jobs.put(
      putBack(last, now, { attempts: last.attempts, dueAt: plusMillis(now, pause), error: why }),
    )
  }
  const stages = last.stages.map((stage): JobStage =>
    stage.state === 'running' ? { ...stage, state: 'failed', at: now } : stage,
  )
  const failed = move(jobStates, { ...last, stages }, 'failed', { at: now, reason: why })
  await tx.jobs.put({ ...failed, takenUntil: null, endedAt: now, error: why })
  await trade.failed?.(tx, failed, why, tools)
}

/** The trade of a kind, without its kind: the kind of a stored job is only known when it runs. */
function tradeOf(trades: Trades, kind: JobKind): Trade {
  return trades[kind]
}

function workFor(tools: Tools, job: Job, signal: AbortSignal): Work<JobKind> {
  async function change(edit: (stages: JobStage[]) => JobStage[]): Promise<void> {
    await tools.store.transact(async (tx) => {
      const last = (await tx.jobs.get(job.id)) ?? job
      await tx.jobs.put({ ...last, stages: edit(last.stages) })
    })
  }
  async function mark(name: string, state: JobStage['state']): Promise<void> {
    const at = tools.clock.now()
    await change((stages) => stages.map((stage) => (stage.name === name ? { name, state, at } : stage)))
  }
  return {
    ...tools,
    job,
    signal,
    plan: async (names) => {
      if (job.stages.length > 0) return
      await change(() => names.map((name) => ({ name, state: 'waiting', at: null })))
    },
    stage: async (name, work) => {
      if (job.stages.some((stage) => stage.name === name && stage.state === 'done')) return
      signal.throwIfAborted()
      await mark(name, 'running')
      await work()
      await mark(name, 'done')
    },
  }
}
