import type { DemandDay } from '../../broker/demand.ts'
import type { Desktop } from '../../broker/desktop.ts'
import type { Lease } from '../../broker/lease.ts'
import type { PoolStanding } from '../../broker/pool-standing.ts'
import type { Terminal } from '../../broker/registered-terminal.ts'
import type { Account } from '../../pricing/budget.ts'
import type { Charge } from '../../pricing/charge.ts'
import type { Commitment } from '../../pricing/commitment.ts'
import type { Tally } from '../../pricing/tally.ts'
import type { UsedTariff } from '../../pricing/used-tariff.ts'
import type { Instant } from '../base/clock.ts'
import type { AuditRow } from '../identity/audit.ts'
import type { Link } from '../identity/chat-account.ts'
import type { Attempt } from '../identity/throttle.ts'
import type { Session } from '../identity/tokens.ts'
import type { Voucher } from '../identity/voucher.ts'
import type { Job } from '../jobs/job.ts'
import type { Sign } from '../jobs/presence.ts'
import type { Host } from '../machines/host.ts'
import type { LibraryImage } from '../machines/image.ts'
import type { Machine } from '../machines/machine.ts'
import type { Notice } from '../notices/notice.ts'
import type { Settings } from '../notices/settings.ts'
import type { Message } from '../notices/message.ts'
import type { Relay } from '../operations/connections.ts'
import type { Request } from '../requests/request.ts'

/** Everything the site remembers, by collection. Documents are plain JSON. */
export interface Documents {
  machines: Machine
  requests: Request
  accounts: Account
  commitments: Commitment
  tallies: Tally
  tariffs: UsedTariff
  hosts: Host
  images: LibraryImage
  desktops: Desktop
  leases: Lease
  jobs: Job
  notices: Notice
  messages: Message
  sessions: Session
  settings: Settings
  links: Link
  terminals: Terminal
  pools: PoolStanding
  demand: DemandDay
  vouchers: Voucher
  attempts: SignInAttempt
  answers: Answer
  counters: Counter
  secrets: Secret
  processes: Sign
  relays: Relay
}
export type CollectionName = keyof Documents

/** The first answer to a request that carried an `Idempotency-Key`, kept so that the second gets the same. */
export interface Answer {
  id: string
  fingerprint: string
  output: unknown
  at: Instant
}

/** An attempt to sign in that the other processes of the site should hear of; kept for as long as it counts. */
export interface SignInAttempt extends Attempt {
  id: string
}

export interface Counter {
  id: string
  value: number
}

/** A key of the site's own, made at first start. */
export interface Secret {
  id: string
  value: string
}

/** What may be looked up, by collection. Each index gives a document no key, one key or several. */
export interface Indexes {
  machines: 'owner' | 'administrator' | 'state' | 'budget' | 'host' | 'ref' | 'pool' | 'orphan' | 'attention'
  requests: 'state' | 'requester' | 'approver' | 'attention'
  accounts: never
  commitments: 'open' | 'due'
  tallies: 'statement'
  tariffs: never
  hosts: 'hypervisor'
  images: 'owner'
  desktops: 'pool' | 'free' | 'stored' | 'storing' | 'coming' | 'person'
  leases:
    | 'open-desktop'
    | 'open-user'
    | 'open-pool'
    | 'open-terminal'
    | 'open-address'
    | 'open-name'
    | 'state'
    | 'pool'
    | 'user'
    | 'ticket'
    | 'waiting'
    | 'attention'
    | 'ended'
  jobs: 'due' | 'taken' | 'subject' | 'ended'
  notices: 'about'
  messages: 'conversation'
  sessions: 'expiry'
  settings: never
  links: 'user'
  pools: never
  demand: 'day'
  terminals: 'standing' | 'mac' | 'address' | 'port'
  vouchers: 'expiry'
  attempts: 'at'
  answers: 'at'
  counters: never
  secrets: never
  processes: never
  relays: 'process' | 'lease'
}

/**
 * Rows that are only ever added, kept by month (UTC). `id` is the row's natural key: adding it twice adds nothing. The
 * same row always bears the same `at`, so that only one month has to be searched for it.
 */
export interface Journals {
  audit: AuditRow
  charges: Charge
}
export type JournalName = keyof Journals

/** What documents add up to: how many they are, and the sum of each number. */
export interface Total {
  count: number
  sums: Readonly<Record<string, number>>
}

export interface PageOptions<I extends string> {
  /** Only documents with this key. */
  where?: { index: I; key: string }
  /** The order key of the last document of the page before (`Page.next`). */
  after?: string
  /** At least 1. */
  limit: number
  /** Highest order key first. */
  newestFirst?: boolean
}

export interface Page<T> {
  items: T[]
  /** Where the next page starts; null on the last one. */
  next: string | null
}

/**
 * What may be asked of a collection. Its order and its indexes stand in `collections.ts`; order keys are unique and text
 * is compared by code unit (PostgreSQL: `COLLATE "C"`). Documents are frozen all the way down.
 */
export interface ReadCollection<K extends CollectionName> {
  get(id: string): Promise<Documents[K] | undefined>
  /** All documents with this key, in the collection's order. */
  find(index: Indexes[K], key: string): Promise<Documents[K][]>
  /** Documents whose key is at most `bound`, lowest key first, at most `limit`: for instants, what is due. */
  upTo(index: Indexes[K], bound: string, limit: number): Promise<Documents[K][]>
  /** The lowest key of an index, if any: for instants, when something is due next. */
  lowest(index: Indexes[K]): Promise<string | undefined>
  /** How many documents have this key. */
  count(index: Indexes[K], key: string): Promise<number>
  /**
   * How many documents have this key, and what their numbers add up to, for an index of which `collections.ts` says which
   * numbers. It is kept while documents change, so it costs the same however many there are.
   */
  total(index: Indexes[K], key: string): Promise<Total>
  page(options: PageOptions<Indexes[K]>): Promise<Page<Documents[K]>>
  /** Everything. Only where the site's size bounds it (hosts, accounts). */
  all(): Promise<Documents[K][]>
}

export interface Collection<K extends CollectionName> extends ReadCollection<K> {
  /**
   * Adds or replaces. The document is plain JSON and is frozen: to change it, put a changed copy.
   * @throws AssertionError when it is not plain JSON, or when another document has its key in a unique index. The
   * transaction is then rejected, even when its work goes on.
   */
  put(document: Documents[K]): Promise<void>
  /** Harmless when there is no such document. */
  remove(id: string): Promise<void>
  /**
   * One document with this key that no other open transaction has claimed; nothing when there is none. It is claimed
   * until the transaction ends; to keep it from the next one, change it so that it leaves the index.
   * PostgreSQL: `FOR UPDATE SKIP LOCKED LIMIT 1`.
   */
  claim(index: Indexes[K], key: string): Promise<Documents[K] | undefined>
}

export interface JournalPage {
  from?: Instant
  /** Not included. */
  to?: Instant
  /** Where the page starts (`Page.next` of the page before). */
  after?: string
  /** At least 1. */
  limit: number
}

export interface ReadJournal<N extends JournalName> {
  /** Newest first: by `at`, then by `id`. */
  page(options: JournalPage): Promise<Page<Journals[N]>>
}

export interface Journal<N extends JournalName> extends ReadJournal<N> {
  /** Adds a row, unless a row of that id is there. The row is plain JSON and is frozen. */
  append(row: Journals[N]): Promise<void>
}

export type ReadTransaction = { readonly [K in CollectionName]: ReadCollection<K> } & {
  readonly [N in JournalName]: ReadJournal<N>
}

export type Transaction = { readonly [K in CollectionName]: Collection<K> } & {
  readonly [N in JournalName]: Journal<N>
}

export interface Change {
  collection: CollectionName
  id: string
}

/** Some of what a site remembers: documents of a collection, or rows of a journal. */
export interface Part {
  name: CollectionName | JournalName
  items: readonly unknown[]
}

export interface StoreHealth {
  writable: boolean
  reason: string | null
}

/**
 * What the site remembers (port).
 *
 * `transact` runs `work` as if alone and makes all of its writes durable or none: when it resolves, they survive a
 * crash and a power cut; when it rejects, nothing of it was ever visible. `work` sees its own writes. It must be
 * harmless to run twice, since an adapter may retry it after a conflict, and it must wait for nothing but the
 * transaction: not for the outside, and not for another transaction or read. Whatever `work` throws is thrown on,
 * unchanged, once what it saw is durable.
 *
 * `read` shows one consistent state. What it has seen is durable by the time it resolves, so it may run `work` again
 * when a write that it saw failed.
 *
 * @throws Outage `store_unwritable` (transient) when the disk or the database does not take the writes. When the
 * process or the power goes at that very moment, such a write may yet be found kept, as with any database that is lost
 * during a commit: whoever repeats it is harmless twice. The next transaction finds out whether writing works again.
 * @throws Outage `store_closed` (transient: the next process will answer) once `close` has been called.
 */
export interface Store {
  /** Whether other processes may be at work on it at the same time. */
  readonly shared: boolean
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  read<T>(work: (tx: ReadTransaction) => Promise<T>): Promise<T>
  /**
   * Calls the listener after each durable commit, here or in another process, with the documents it changed, each once.
   * Commits of this process come in their order. What a listener throws is logged. Gives back how to stop it.
   */
  onCommit(listener: (changes: readonly Change[]) => void): () => void
  /** Whether the last write was taken, and if not, what the disk or the database said. */
  health(): StoreHealth
  /**
   * Everything as it is at one moment, and durable, some at a time. Others go on meanwhile, however long it takes. An
   * adapter whose reads hold up nobody leaves it out: one long read is the same there.
   */
  snapshot?(): Promise<AsyncIterable<Part>>
  /** Waits for what was asked for before, makes a checkpoint and lets go of the lock. Harmless twice. */
  close(): Promise<void>
}
