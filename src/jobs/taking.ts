import { type Instant, plusMillis } from '../base/clock.ts'
import { move } from '../base/states.ts'
import type { ReadTransaction, Transaction } from '../store/store.ts'
import { type Job, jobStates } from './job.ts'

/**
 * How long a process may have a job in hand without saying that it still has, where the site's file does not say. It
 * says so three times as often, so that clocks of several hosts may differ by seconds.
 */
export const usualHoldMillis = 30_000

/** Who takes jobs, and which it has in hand already. */
export interface Taker {
  process: string
  now: Instant
  inHand: ReadonlySet<string>
  holdMillis: number
}

/** Whether there may be something to take. */
export async function isAnyDue(tx: ReadTransaction, taker: Taker): Promise<boolean> {
  const [due, [lost]] = await Promise.all([tx.jobs.upTo('due', taker.now, 1), runOut(tx, taker)])
  return due.length > 0 || lost !== undefined
}

/** Takes due jobs, at most one for each subject. */
export async function takeDue(tx: Transaction, taker: Taker, room: number): Promise<Job[]> {
  const taken: Job[] = []
  const subjects = new Set<string>()
  for (const job of await tx.jobs.upTo('due', taker.now, room * 4)) {
    if (taken.length === room) break
    const others = await tx.jobs.find('subject', job.subject)
    const isBusy = subjects.has(job.subject) || others.some(({ state }) => state === 'running')
    if (isBusy || taker.inHand.has(job.id)) continue
    subjects.add(job.subject)
    const running = inHandsOf(job, taker)
    await tx.jobs.put(running)
    taken.push(running)
  }
  return taken
}

function inHandsOf(job: Job, { process, now, holdMillis }: Taker): Job {
  return {
    ...move(jobStates, job, 'running', { at: now }),
    attempts: job.attempts + 1,
    takenBy: process,
    takenUntil: plusMillis(now, holdMillis),
  }
}

/** Puts back what nobody has said for too long that they have in hand. Gives back those jobs as they were. */
export async function putBackRunOut(tx: Transaction, taker: Taker): Promise<Job[]> {
  const lost = await runOut(tx, taker)
  for (const job of lost) await tx.jobs.put(putBack(job, taker.now, { attempts: job.attempts }))
  return lost
}

/** Puts back all jobs that run: for when no process is left that could be at work on them. */
export async function putBackAll(tx: Transaction, now: Instant): Promise<void> {
  for (const job of await tx.jobs.upTo('taken', '~', Number.MAX_SAFE_INTEGER)) {
    await tx.jobs.put(putBack(job, now, { attempts: job.attempts }))
  }
}

/** What this process has in hand itself may have run out while the store took no writes: nobody else works on it. */
async function runOut(tx: ReadTransaction, { now, inHand }: Taker): Promise<Job[]> {
  const found = await tx.jobs.upTo('taken', now, inHand.size + 20)
  return found.filter(({ id }) => !inHand.has(id))
}

/** Says that jobs are still in hand, and until when. Gives back the ids of those that are no longer ours. */
export async function renew(tx: Transaction, jobs: readonly Job[], takenUntil: Instant): Promise<string[]> {
  const lost: string[] = []
  for (const job of jobs) {
    const last = await tx.jobs.get(job.id)
    if (last === undefined || !isSameTaking(last, job)) lost.push(job.id)
    else await tx.jobs.put({ ...last, takenUntil })
  }
  return lost
}

/** Whether a job is still in the same hands: it may have been taken over, and even finished, meanwhile. */
export function isSameTaking(last: Job | undefined, job: Job): last is Job {
  return last?.state === 'running' && last.takenBy === job.takenBy && last.attempts === job.attempts
}

/** A job that is to be taken up again, from its first unfinished stage. */
export function putBack(
  job: Job,
  now: Instant,
  how: { attempts: number; dueAt?: Instant; error?: string },
): Job {
  const queued = move(jobStates, job, 'queued', { at: now, reason: how.error ?? 'put back' })
  return {
    ...queued,
    // One that is tried for days tells of its beginning and of its last tries.
    history: [...queued.history.slice(0, 1), ...queued.history.slice(1).slice(-20)],
    attempts: how.attempts,
    dueAt: how.dueAt ?? now,
    takenBy: null,
    takenUntil: null,
    error: how.error ?? job.error,
    stages: job.stages.map((stage) => (stage.state === 'done' ? stage : { ...stage, state: 'waiting' })),
  }
}
