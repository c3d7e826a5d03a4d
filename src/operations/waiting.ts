import type { Lease } from '../../broker/lease.ts'
import { type Instant, millis } from '../base/clock.ts'
import type { Job } from '../jobs/job.ts'
import type { Machine } from '../machines/machine.ts'
import type { ReadTransaction } from '../store/store.ts'
import { reachWords } from './losing.ts'
import { type ProgressView, progressOf } from './shapes/job.ts'

/** What keeps somebody from their desktop, in words for them. */
export interface Trouble {
  code: 'desktop_unreachable' | 'slow'
  text: string
}

/** After that long somebody who waits is told that it is not usual. */
const usualMillis = 180_000

/** How far the desktop has come that a lease waits for. */
export async function progressOfLease(tx: ReadTransaction, lease: Lease): Promise<ProgressView | undefined> {
  return progressOf((await workBehind(tx, lease)).job)
}

/** Nothing where all is as it should be. */
export async function troubleOf(
  tx: ReadTransaction,
  lease: Lease,
  now: Instant,
): Promise<Trouble | undefined> {
  if (lease.state === 'ended') return undefined
  const { machine, job } = await workBehind(tx, lease)
  if (lease.state !== 'preparing') {
    if (machine?.state !== 'unreachable') return undefined
    return { code: 'desktop_unreachable', text: `Your desktop ${reachWords(machine)}` }
  }
  const isLate = millis(now) - millis(lease.createdAt) > usualMillis
  const error = job?.error ?? null
  if (!isLate && error === null) return undefined
  const why = error === null ? '.' : `: ${error.replace(/\.$/, '')}.`
  return { code: 'slow', text: `It takes longer than usual${why} It is tried on by itself.` }
}

/** The machine and its job; for a lease without a desktop of its own, of the one that will be ready first. */
async function workBehind(
  tx: ReadTransaction,
  lease: Lease,
): Promise<{ machine?: Machine | undefined; job?: Job | undefined }> {
  const coming = { index: 'coming', key: lease.pool } as const
  const name = lease.desktop ?? (await tx.desktops.page({ where: coming, limit: 1 })).items[0]?.id
  const machine = name === undefined ? undefined : await tx.machines.get(name)
  const job = machine?.job === null || machine === undefined ? undefined : await tx.jobs.get(machine.job)
  return { machine, job }
}
