import { plusMillis } from '../base/clock.ts'
import { messageOf, Outage } from '../base/errors.ts'
import { backoffMillis, withDeadline } from '../base/retry.ts'
import { move } from '../base/states.ts'
import type { Transaction } from '../store/store.ts'
import { type Job, type JobKind, type JobStage, jobStates } from './job.ts'
import { isSameTaking, putBack } from './taking.ts'
import type { Tools, Trade, Trades, Work } from './trade.ts'

export interface Means {
  trades: Trades
  /** A chance in [0, 1) that spreads retries. */
  chance: () => number
}

/** Runs a job once and records how it ended, unless another process has taken it over meanwhile. */
export async function carryOut(tools: Tools, options: Means, job: Job, stop: AbortSignal): Promise<void> {
  const trade = tradeOf(options.trades, job.kind)
  try {
    await withDeadline(job.kind, trade.deadlineMillis, stop, (signal) =>
      trade.run(workFor(tools, job, signal)),
    )
    await tools.store.transact(async (tx) => {
      const last = await tx.jobs.get(job.id)
      if (!isSameTaking(last, job)) throw takenOver(job)
      const now = tools.clock.now()
      const done = move(jobStates, last, 'done', { at: now })
      await tx.jobs.put({ ...done, takenBy: null, takenUntil: null, endedAt: now, error: null })
    })
  } catch (error) {
    await tools.store.transact((tx) => recordFailure(tx, tools, options, job, error, stop.aborted))
  }
}

async function recordFailure(
  tx: Transaction,
  tools: Tools,
  options: Means,
  job: Job,
  error: unknown,
  stopped: boolean,
): Promise<void> {
  const last = await tx.jobs.get(job.id)
  if (!isSameTaking(last, job)) {
    tools.log.warn({ job: job.id, kind: job.kind, attempt: job.attempts }, 'job was taken over meanwhile')
    return
  }
  const trade = tradeOf(options.trades, job.kind)
  const now = tools.clock.now()
  const why = messageOf(error)
  if (stopped) return tx.jobs.put(putBack(last, now, { attempts: last.attempts - 1 }))
  const again = error instanceof Outage && error.transient && last.attempts < trade.attempts
  tools.log.warn({ job: job.id, kind: job.kind, attempt: last.attempts, again, error: why }, 'job went wrong')
  if (again) {
    const pause = backoffMillis(last.attempts, {
      firstMillis: 1000,
      maxMillis: trade.longestPauseMillis ?? 60_000,
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
  await tx.jobs.put({ ...failed, takenBy: null, takenUntil: null, endedAt: now, error: why })
  await trade.failed?.(tx, failed, why, tools)
}

function takenOver({ id }: Job): Outage {
  return new Outage('job_taken_over', `Another process has taken job ${id} over.`, { transient: true })
}

/** The trade of a kind, without its kind: the kind of a stored job is only known when it runs. */
function tradeOf(trades: Trades, kind: JobKind): Trade {
  return trades[kind]
}

function workFor(tools: Tools, job: Job, signal: AbortSignal): Work<JobKind> {
  async function change(edit: (stages: JobStage[]) => JobStage[]): Promise<void> {
    await tools.store.transact(async (tx) => {
      const last = await tx.jobs.get(job.id)
      if (!isSameTaking(last, job)) throw takenOver(job)
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
