import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { assert, messageOf, Outage } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { Attempt, Crowd, type Ending, type Mode, type Surroundings } from './postgres/attempt.ts'
import { Connections, type Place } from './postgres/connection.ts'
import { DatabaseFault, unwritable } from './postgres/faults.ts'
import { Listener } from './postgres/listener.ts'
import { migrate } from './postgres/migrate.ts'
import { transactionOn } from './postgres/transaction.ts'
import type { Change, ReadTransaction, Store, StoreHealth, Transaction } from './store.ts'

export interface PostgresOptions {
  /** `postgres://user@host:port/database`. A password may stand in it, in `PGPASSWORD` or in `~/.pgpass`. */
  url: string
  log: Log
  /** The schema that holds the site; it is made when it is not there. */
  schema?: string
  /** How many connections this process uses at most, beside the one that listens. */
  connections?: number
}

/**
 * The store for several processes (adapter): each collection a table, in a PostgreSQL of version 15 or later.
 *
 * @throws Outage `store_unwritable` when the database does not answer, `store_unfit` when it is too old or not in UTF8,
 * `store_too_new` and `store_in_use` as `migrate` says.
 */
export async function postgres(options: PostgresOptions): Promise<Store> {
  const { url, log, schema = 'jackdaw', connections = 10 } = options
  assert(/^[a-z_][a-z0-9_]{0,40}$/.test(schema), 'a schema has a plain name')
  const place = { url, schema }
  const store = new PostgresStore(place, { log, connections })
  try {
    await migrate(place, log)
    await store.open()
    return store
  } catch (error) {
    await store.close()
    throw error instanceof Outage ? error : unwritable(new DatabaseFault(error))
  }
}

/** Which transaction the running code belongs to. */
const inside = new AsyncLocalStorage<{ store: Store; attempt: Attempt }>()

/** How often work is run again after its connection was lost, or when even alone it met a conflict. */
const patience = { lost: 2, conflict: 3 }

class PostgresStore implements Store {
  readonly shared = true
  readonly #log: Log
  readonly #connections: Connections
  readonly #listener: Listener
  readonly #around: Surroundings
  readonly #listeners = new Set<(changes: readonly Change[]) => void>()
  readonly #inHand = new Set<Promise<unknown>>()
  #reason: string | null = null
  #closing: Promise<void> | undefined

  constructor(place: Place, { log, connections }: { log: Log; connections: number }) {
    this.#log = log
    this.#connections = new Connections(place, { max: connections, log })
    const sender = randomUUID()
    this.#around = { open: () => this.#connections.session(), sender, crowd: new Crowd() }
    this.#listener = new Listener({
      ...{ place, log, sender },
      hear: (changes) => this.#tell(changes),
      found: ({ fault }) => this.#found(fault),
    })
  }

  open(): Promise<void> {
    return this.#listener.open()
  }

  async transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#mayEnter()
    return this.#inTime(async () => {
      const { value, isWritten, changes } = await this.#repeat(work, undefined)
      if (isWritten) this.#reason = null
      else if (this.#reason !== null) await this.#probe()
      if (changes.length > 0) {
        this.#tell(changes)
        this.#listener.call()
      }
      return value
    })
  }

  async read<T>(work: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    this.#mayEnter()
    return this.#inTime(async () => (await this.#repeat(work, 'reading')).value)
  }

  onCommit(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  health(): StoreHealth {
    return { writable: this.#reason === null, reason: this.#reason }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Runs work until it has come through, or until it is plain that it will not. */
  async #repeat<T>(work: (tx: Transaction) => Promise<T>, first: Mode | undefined): Promise<Done<T>> {
    const left = { ...patience }
    let mode = first
    for (;;) {
      const attempt = new Attempt(this.#around, mode)
      const ending = await attempt.carryOut(() =>
        inside.run({ store: this, attempt }, () => work(transactionOn(attempt))),
      )
      if (ending.kind === 'done') return ending
      if (ending.kind === 'threw') throw ending.error
      if (ending.kind === 'again') mode = ending.mode
      else this.#again(ending, left)
    }
  }

  /** @throws unless trying once more makes sense. */
  #again({ fault, isUnknown }: Failed, left: { lost: number; conflict: number }): void {
    assert(fault.kind !== 'rival' && fault.kind !== 'wrong', fault.message)
    if (fault.kind === 'conflict' && left.conflict-- > 0) return
    if (fault.kind === 'lost' && !isUnknown && left.lost-- > 0) return
    this.#reason = fault.message
    throw unwritable(fault, isUnknown)
  }

  async #inTime<T>(work: () => Promise<T>): Promise<T> {
    const done = work()
    const settled = done.catch(() => undefined)
    this.#inHand.add(settled)
    try {
      return await done
    } finally {
      this.#inHand.delete(settled)
    }
  }

  #mayEnter(): void {
    const outer = inside.getStore()
    const isNested = outer?.store === this && outer.attempt.isOpen
    assert(!isNested, 'a transaction waits for nothing but itself: it would wait for its own end')
    if (this.#closing !== undefined) {
      throw new Outage('store_closed', 'The store is closed: the service is stopping.', { transient: true })
    }
  }

  #tell(changes: readonly Change[]): void {
    for (const listener of this.#listeners) {
      try {
        listener(changes)
      } catch (error) {
        this.#log.error({ error: messageOf(error) }, 'a listener to commits failed')
      }
    }
  }

  /** The connection that listens sees an outage, and its end, even while nobody writes. */
  #found(fault: Error | undefined): void {
    if (fault !== undefined) this.#reason = fault.message
    else if (this.#reason !== null) this.#probe().catch(() => undefined)
  }

  /** Writes, to find out whether that works. */
  async #probe(): Promise<void> {
    try {
      const session = await this.#connections.session()
      try {
        await session.command('UPDATE turn SET at = now()')
      } finally {
        await session.end()
      }
      this.#reason = null
    } catch (error) {
      const fault = error instanceof DatabaseFault ? error : new DatabaseFault(error)
      this.#reason = fault.message
      throw unwritable(fault)
    }
  }

  async #close(): Promise<void> {
    await Promise.all(this.#inHand)
    await this.#listener.close()
    await this.#connections.end()
  }
}

type Done<T> = Extract<Ending<T>, { kind: 'done' }>
type Failed = Extract<Ending<never>, { kind: 'failed' }>
