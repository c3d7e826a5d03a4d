import type { Instant } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { Notice } from '../notices/notice.ts'
import type { Transaction } from '../store/store.ts'
import { type Job, type JobInputs, type JobKind, newJob } from './job.ts'

/** What is needed to leave work behind in a transaction. */
export interface Desk {
  tx: Transaction
  now: Instant
  ids: Ids
}

/** Saves a job in the transaction that wants it. */
export async function enqueue<K extends JobKind>(
  { tx, now, ids }: Desk,
  kind: K,
  input: JobInputs[K],
  facts: { subject: string; by: string; dueAt?: Instant },
): Promise<Job> {
  const job: Job = newJob({ id: ids.next('J', now), kind, input, at: now, ...facts })
  await tx.jobs.put(job)
  return job
}

/** Saves a fact worth telling, and the job that tells it. `to` names users or groups. */
export async function tell(
  desk: Desk,
  facts: Pick<Notice, 'kind' | 'about' | 'to'> & { text?: string; dueAt?: Instant; subject?: string },
): Promise<Notice> {
  const { tx, now, ids } = desk
  const { kind, about, to, text = null } = facts
  const notice: Notice = { id: ids.next('N', now), kind, about, to, text, at: now, deliveries: [] }
  await tx.notices.put(notice)
  const { dueAt = now, subject = `notice:${notice.id}` } = facts
  await enqueue(desk, 'deliver-notice', { notice: notice.id }, { subject, by: 'jackdaw', dueAt })
  return notice
}

/** Has every copy of the cards about something drawn anew. One waiting job is enough for any number of changes. */
export async function redrawCards(desk: Desk, about: string): Promise<void> {
  const { tx } = desk
  const subject = `cards:${about}`
  const waiting = await tx.jobs.find('subject', subject)
  if (waiting.some(({ state }) => state === 'queued')) return
  if ((await tx.notices.count('about', about)) === 0) return
  await enqueue(desk, 'redraw-cards', { about }, { subject, by: 'jackdaw' })
}
