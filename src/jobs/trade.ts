import type { Clock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Directory } from '../identity/directory.ts'
import type { Hypervisor } from '../hypervisors/hypervisor.ts'
import type { Teller } from '../notices/notice.ts'
import type { Registrar } from '../registration/registrar.ts'
import type { Site } from '../operations/site.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { Job, JobKind } from './job.ts'

/** What jobs may use of the outside world. */
export interface Tools {
  store: Store
  site: Site
  clock: Clock
  ids: Ids
  log: Log
  hypervisors: ReadonlyMap<string, Hypervisor>
  directory: Directory
  /** Who has to know of machines before they first boot, in order. */
  registrars: readonly Registrar[]
  teller: Teller
  /** Closes what is relayed for a lease, and says how many connections that were. */
  closeConnections(lease: string, reason: string): Promise<number>
}

/** One run of a job: what it was told, and how it reports. */
export interface Work<K extends JobKind> extends Tools {
  job: Job<K>
  /** Aborted at the job's deadline and when the service stops. */
  signal: AbortSignal
  /** The stages of this run, in order, before the first of them. Calling it again changes nothing. */
  plan(stages: readonly string[]): Promise<void>
  /** Carries out one stage, shown while it lasts. A stage done by an earlier run is not done again. */
  stage(name: string, work: () => Promise<void>): Promise<void>
}

/** How one kind of job is done. Done at least once: each must be harmless twice. */
export interface Trade<K extends JobKind = JobKind> {
  readonly kind: K
  /** How long one run may take. */
  readonly deadlineMillis: number
  /** How often it is tried while the world says that trying again can help. */
  readonly attempts: number
  /** The longest pause between two attempts; a minute where nothing is said. */
  readonly longestPauseMillis?: number
  /** @throws Outage (transient: it is tried again) or Refusal (it has failed). */
  run(work: Work<K>): Promise<void>
  /** What becomes of the subject once the job has failed for good; in the transaction that says so. */
  failed?(tx: Transaction, job: Job<K>, why: string, tools: Tools): Promise<void>
}

/** One trade for each kind; the runner looks them up by it. */
export type Trades = { readonly [K in JobKind]: Trade<K> }
