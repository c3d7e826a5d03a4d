import { AsyncLocalStorage } from 'node:async_hooks'
import { Low } from 'lowdb'
import { type Clock, systemClock } from '../base/clock.ts'
import { assert, messageOf, Outage } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { ChangeJournal } from './lowdb/change-journal.ts'
import { type Formats, ourFormats } from './formats.ts'
import { type Checkpoint, checkpointFile, checkpointName } from './lowdb/checkpoint.ts'
import { diskFiles, type Files, sizeOf } from './lowdb/files.ts'
import { GroupCommit, unwritable } from './lowdb/group-commit.ts'
import { takeLock } from './lowdb/lock.ts'
import type { Memory } from './lowdb/memory.ts'
import { type Processes, systemProcesses } from './lowdb/processes.ts'
import { recover } from './lowdb/recovery.ts'
import { snapshotOf } from './lowdb/snapshot.ts'
import { transactionOn, Work } from './lowdb/transaction.ts'
import { Turns } from './lowdb/turns.ts'
import type { Change, Part, ReadTransaction, Store, StoreHealth, Transaction } from './store.ts'

export interface LowdbOptions {
  /** The folder, on a local disk. It is made when it is not there. */
  path: string
  log: Log
  clock?: Clock
  /** The folder as the disk sees it, and the processes of this host: tests hand in their own. */
  files?: Files
  processes?: Processes
  /** How large the change journal grows before it is folded into a new checkpoint; never less than the last one. */
  checkpointBytes?: number
  /** The formats that are known: tests hand in older and newer ones. */
  formats?: Formats
}

/**
 * The store for one process (adapter): everything in memory, every commit in a change journal, and now and then all of
 * it in a checkpoint that lowdb's `Low` reads and writes.
 *
 * @throws Outage `store_in_use` when another process has the folder; `store_damaged` when the folder does not hold what
 * was written, with the place and the remedy; `store_too_new` when a newer release wrote it; `store_unwritable`.
 */
export async function lowdb(options: LowdbOptions): Promise<Store> {
  const { path, log, clock = systemClock, files = diskFiles(path), processes = systemProcesses } = options
  const { formats = ourFormats } = options
  let unlock: (() => Promise<void>) | undefined
  try {
    await files.prepare()
    unlock = await takeLock(files, { path, processes, at: clock.now() })
    for (const name of await files.list()) if (name.endsWith('.tmp')) await files.remove(name)
    const low = new Low<Checkpoint>(checkpointFile(files, formats), nothing(formats, clock))
    const found = await recover(low, { files, formats, log })
    const parts = { ...found, low, files, formats, log, clock, unlock }
    const store = new LowdbStore(parts, options.checkpointBytes ?? 16 * 1024 * 1024)
    if (found.isOld) await store.checkpoint()
    return store
  } catch (error) {
    await unlock?.().catch(() => undefined)
    throw error instanceof Outage ? error : unwritable(error)
  }
}

function nothing(formats: Formats, clock: Clock): Checkpoint {
  return {
    format: formats.current,
    sequence: 0,
    at: clock.now(),
    blocks: { audit: [], charges: [] },
    documents: [],
  }
}

interface Parts {
  memory: Memory
  journal: ChangeJournal
  low: Low<Checkpoint>
  files: Files
  formats: Formats
  log: Log
  clock: Clock
  unlock: () => Promise<void>
}

/** How the work of a turn ended, and the promise that what it saw is durable. */
interface Turn<T> {
  outcome: Promise<T>
  durable: Promise<void>
}

/** Which transaction the running code belongs to. One for all stores: Node looks at each there is for every promise. */
const inside = new AsyncLocalStorage<{ store: Store; work: Work }>()

class LowdbStore implements Store {
  readonly shared = false
  readonly #parts: Parts
  readonly #turns = new Turns()
  readonly #commits: GroupCommit
  readonly #listeners = new Set<(changes: readonly Change[]) => void>()
  readonly #checkpointBytes: number
  /** How large the journal is when the next checkpoint is due. */
  #dueBytes: number
  #folding: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(parts: Parts, checkpointBytes: number) {
    const { journal, log } = parts
    this.#parts = parts
    this.#checkpointBytes = checkpointBytes
    this.#dueBytes = checkpointBytes
    this.#commits = new GroupCommit({
      journal,
      log,
      turns: this.#turns,
      told: (changes) => this.#tell(changes),
    })
  }

  async transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#mayEnter()
    const { outcome, durable } = await this.#turns.take(() => this.#attempt(work, (done) => this.#save(done)))
    await durable
    this.#foldWhenDue()
    return outcome
  }

  async read<T>(work: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    this.#mayEnter()
    const settled = () => this.#commits.settled()
    for (;;) {
      const { outcome, durable } = await this.#turns.take(() => this.#attempt(work, settled))
      const isTrue = await durable.then(
        () => true,
        () => false,
      )
      // Else what it saw was undone, and it looks again at what is there now.
      if (isTrue) return outcome
    }
  }

  onCommit(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async snapshot(): Promise<AsyncIterable<Part>> {
    this.#mayEnter()
    for (;;) {
      const { parts, durable } = await this.#turns.take(async () => ({
        parts: snapshotOf(this.#parts.memory),
        durable: this.#commits.settled(),
      }))
      const isTrue = await durable.then(
        () => true,
        () => false,
      )
      if (isTrue) return parts
    }
  }

  health(): StoreHealth {
    const { reason } = this.#parts.journal
    return { writable: reason === null, reason }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Writes all documents down as they are now, folds the journals, and lets go of the changes that led there. */
  async checkpoint(): Promise<void> {
    const { low, memory, journal, files, formats, clock } = this.#parts
    const format = formats.current
    if (low.data.sequence === journal.durable && low.data.format === format) return
    const { sequence, documents, rows } = await this.#commits.rotate((number) => picture(memory, number))
    const { audit, charges } = memory.journals
    const blocks = { audit: await audit.fold(rows.audit), charges: await charges.fold(rows.charges) }
    await files.sync()
    audit.adopt(blocks.audit, rows.audit)
    charges.adopt(blocks.charges, rows.charges)
    const before = low.data
    low.data = { format, sequence, at: clock.now(), blocks, documents }
    await low.write().catch((error: unknown) => {
      low.data = before
      throw error
    })
    low.data = { ...low.data, documents: [] }
    await journal.removeUpTo(sequence)
  }

  /** The work's writes stay in memory for the turns that follow, though they are not durable yet. */
  async #attempt<T>(
    work: (tx: Transaction) => Promise<T>,
    save: (done: Work) => Promise<void>,
  ): Promise<Turn<T>> {
    const at = new Work()
    const outcome = inside.run({ store: this, work: at }, async () => {
      const value = await work(transactionOn(this.#parts.memory, at))
      at.end()
      return value
    })
    const isDone = await outcome.then(
      () => true,
      () => false,
    )
    if (isDone) return { outcome, durable: save(at) }
    at.takeBack()
    // What it threw may rest on something that is not durable yet, so that has to wait too.
    return { outcome, durable: this.#commits.settled() }
  }

  /** When the disk did not take the last write, even a commit without changes is written, to find out whether it does. */
  #save(done: Work): Promise<void> {
    if (done.isEmpty && this.#commits.isWhole) return this.#commits.settled()
    return this.#commits.add(done.commit())
  }

  #mayEnter(): void {
    const outer = inside.getStore()
    const isNested = outer?.store === this && outer.work.isOpen
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
        this.#parts.log.error({ error: messageOf(error) }, 'a listener to commits failed')
      }
    }
  }

  #foldWhenDue(): void {
    if (this.#parts.journal.bytes < this.#dueBytes || this.#folding !== undefined) return
    if (this.#closing !== undefined) return
    this.#folding = this.#tryCheckpoint().finally(() => {
      this.#folding = undefined
    })
  }

  /** Without a checkpoint nothing is lost; only the journal grows and the next start takes longer. */
  async #tryCheckpoint(): Promise<void> {
    const { journal, files, log } = this.#parts
    try {
      await this.checkpoint()
      // Writing a large state for every few changes would wear the disk out.
      this.#dueBytes = Math.max(this.#checkpointBytes, await sizeOf(files, checkpointName))
    } catch (error) {
      this.#dueBytes = journal.bytes + this.#checkpointBytes
      log.warn({ error: messageOf(error) }, 'a checkpoint could not be made')
    }
  }

  async #close(): Promise<void> {
    const { journal, log, unlock } = this.#parts
    // Turns are taken in order: after this one, everything that was asked for before has been done.
    await this.#turns.take(() => Promise.resolve())
    await this.#commits.settled().catch(() => undefined)
    await this.#folding
    await this.#tryCheckpoint()
    try {
      await journal.close()
      await unlock()
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'the store could not let go of its folder')
    }
  }
}

/** Documents never change, so lists of them taken at one moment stay true while they are written. */
function picture({ tables, journals }: Memory, sequence: number) {
  const documents = Object.entries(tables).map(([name, table]): [string, unknown[]] => [
    name,
    table.documents(),
  ])
  return { sequence, documents, rows: { audit: journals.audit.rows(), charges: journals.charges.rows() } }
}
