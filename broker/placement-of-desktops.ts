import type { Instant } from '../src/base/clock.ts'
import { assert, refuse } from '../src/base/errors.ts'
import { counted } from '../src/base/text.ts'
import type { Desktop } from './desktop.ts'
import type { Lease } from './lease.ts'
import type { PoolRule } from './pool.ts'

/** How full a pool is. Numbers from indexes: a decision costs the same at ten desktops and at a hundred thousand. */
export interface PoolCounts {
  /** Ready for anybody. */
  spare: number
  /** On their way to being spare: being made, reset or woken, for nobody in particular. */
  making: number
  /** Saved, for anybody once they are woken. */
  stored: number
  /** Being saved. */
  storing: number
  /** Leases that wait for a desktop and have none yet. */
  waiting: number
  /** All desktops of the pool that are not gone. */
  total: number
}

/** What the caller found for one person in one pool. */
export interface Found {
  /** The person's open lease in the pool. */
  lease: Lease | null
  /** Their own desktop in a persistent pool, and whether its machine runs. */
  own: { desktop: Desktop; running: boolean } | null
  /** A spare one that nobody else can claim now. */
  spare: Desktop | null
  /** Where there is none, a saved one that nobody else can claim now. */
  stored: Desktop | null
  /** Null where there is a lease, an own desktop, a spare or a saved one, as counting would cost something. */
  counts: PoolCounts | null
}

/** How a person gets to a desktop. The caller does it in the same transaction. */
export type Choice =
  /** The lease they hold, from whatever terminal it is asked for. */
  | { kind: 'resume'; lease: Lease }
  /** This desktop, now. In a persistent pool it becomes theirs. */
  | { kind: 'offer'; desktop: Desktop }
  /** Their own or a saved one, once it is awake. `start` is false when somebody sees to that already. */
  | { kind: 'wake'; desktop: Desktop; start: boolean }
  /** A lease in `preparing`: the next desktop of the pool that is ready. `make` says that one more has to be started. */
  | { kind: 'wait'; make: boolean }

/**
 * Decides what happens when somebody opens a pool: their session wherever it is, else their own desktop, else a spare
 * one, else a saved one that is woken, else one that is being made.
 * @throws Refusal `pool_full` when all are taken, `busy` when their own cannot be used just now, `lease_ended` when the
 * lease they hold is over and has not been cleared away yet. All say when to try again.
 */
export function chooseDesktop(pool: PoolRule, user: string, found: Found, now: Instant): Choice {
  const { lease, own, spare, stored } = found
  if (lease !== null) return resume(lease, user, now)
  if (own !== null && own.desktop.state !== 'gone' && pool.kind === 'persistent') {
    assert(own.desktop.person === user, 'a desktop of somebody else is never handed out')
    return ownDesktop(own)
  }
  if (spare !== null) {
    assert(spare.state === 'spare' && spare.person === null, 'only a spare desktop goes to anybody')
    return { kind: 'offer', desktop: spare }
  }
  if (stored !== null) {
    assert(stored.state === 'stored' && stored.person === null, 'only a saved spare goes to anybody')
    return { kind: 'wake', desktop: stored, start: true }
  }
  return waitForOne(pool, found.counts)
}

function resume(lease: Lease, user: string, now: Instant): Choice {
  assert(lease.user === user && lease.state !== 'ended', 'only their own open lease is resumed')
  if (lease.endsAt > now) return { kind: 'resume', lease }
  refuse('lease_ended', 'Your last session has just reached its end. Try again in a few seconds.', {
    retryAfterSeconds: 5,
    about: lease.id,
  })
}

function ownDesktop({ desktop, running }: { desktop: Desktop; running: boolean }): Choice {
  switch (desktop.state) {
    case 'idle':
      return running ? { kind: 'offer', desktop } : { kind: 'wake', desktop, start: true }
    case 'making':
    case 'waking':
      return { kind: 'wake', desktop, start: false }
    case 'quarantined':
      return notNow(desktop, asideWords(desktop), 300)
    case 'leased':
    case 'resetting':
    case 'spare':
    case 'storing':
    case 'stored':
    case 'retiring':
    case 'gone':
      return notNow(desktop, 'is being put in order after its last session. Try again in a minute.', 30)
  }
}

function asideWords({ history }: Desktop): string {
  const why = history.at(-1)?.reason
  const reason = why === undefined ? '' : ` (${why})`
  return `is set aside for an operator to look at${reason}. Ask them when it will be back.`
}

function notNow(desktop: Desktop, why: string, retryAfterSeconds: number): never {
  return refuse('busy', `Your desktop ${desktop.id} ${why}`, { retryAfterSeconds, about: desktop.id })
}

function waitForOne(pool: PoolRule, counts: PoolCounts | null): Choice {
  assert(counts !== null, 'whoever may have to wait has had the pool counted')
  if (counts.making > counts.waiting) return { kind: 'wait', make: false }
  if (counts.total < pool.size.max) return { kind: 'wait', make: true }
  const fact = `All ${counted(counts.total, 'desktop')} of pool ${pool.name} are taken`
  const queue = counts.waiting === 0 ? '' : ', and others wait already'
  refuse('pool_full', `${fact}${queue}. Try again when somebody has logged off.`, { retryAfterSeconds: 60 })
}
