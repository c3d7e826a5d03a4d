import { assert, messageOf, Outage } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Change } from '../store.ts'
import type { ChangeJournal, Entry } from './change-journal.ts'
import type { Turns } from './turns.ts'

/** What a transaction has done in memory: how to write it down, how to take it back, and whom to tell. */
export interface Commit {
  json: string
  undo: () => void
  changes: readonly Change[]
}

interface Waiting {
  /** Nothing for somebody who only waits for what went before. */
  entry: Entry | undefined
  commit: Commit | undefined
  resolve: () => void
  reject: (error: unknown) => void
}

/**
 * Makes commits durable, many with one sync, and answers nobody before. Transactions go on in memory meanwhile.
 * When the disk does not take a batch, everything that is not durable is undone in memory, last first, and refused.
 */
export class GroupCommit {
  readonly #journal: ChangeJournal
  readonly #turns: Turns
  readonly #log: Log
  readonly #told: (changes: readonly Change[]) => void
  #sequence: number
  #inHand: Waiting[] = []
  #waiting: Waiting[] = []
  #rotation: { go: () => Promise<void>; reject: (error: unknown) => void } | undefined
  #isRunning = false

  constructor(parts: {
    journal: ChangeJournal
    turns: Turns
    log: Log
    /** Called for each commit once it is durable, before its transaction is answered. */
    told: (changes: readonly Change[]) => void
  }) {
    this.#journal = parts.journal
    this.#turns = parts.turns
    this.#log = parts.log
    this.#told = parts.told
    this.#sequence = parts.journal.durable
  }

  /** Whether the disk took the last write. */
  get isWhole(): boolean {
    return this.#journal.reason === null
  }

  /** Resolves once the commit is durable. Called within the turn of its transaction. */
  add(commit: Commit): Promise<void> {
    const entry = { sequence: ++this.#sequence, json: commit.json }
    return this.#wait(entry, commit)
  }

  /** Resolves once everything that has been added is durable. */
  settled(): Promise<void> {
    if (this.#inHand.length === 0 && this.#waiting.length === 0) return Promise.resolve()
    return this.#wait(undefined, undefined)
  }

  /**
   * Makes everything durable, begins a new journal segment, and takes a picture of the state as it is between the two,
   * while no transaction runs.
   */
  rotate<T>(picture: (sequence: number) => T): Promise<T> {
    assert(this.#rotation === undefined, 'one rotation at a time')
    return new Promise<T>((resolve, reject) => {
      const go = async () => {
        await this.#journal.rotate()
        resolve(picture(this.#sequence))
      }
      this.#rotation = { go, reject }
      this.#start()
    })
  }

  #wait(entry: Entry | undefined, commit: Commit | undefined): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ entry, commit, resolve, reject })
    })
    // Whoever asked looks at it when their turn is over, which may be after a failure.
    done.catch(() => undefined)
    this.#start()
    return done
  }

  #start(): void {
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.length > 0 || this.#rotation !== undefined) {
      if (this.#rotation !== undefined) await this.#turns.take(() => this.#rotate())
      else await this.#write().catch((error: unknown) => this.#turns.take(() => this.#refuse(error)))
    }
    this.#isRunning = false
  }

  async #rotate(): Promise<void> {
    const rotation = this.#rotation
    this.#rotation = undefined
    try {
      await this.#write().catch(async (error: unknown) => {
        await this.#refuse(error)
        throw error
      })
      await rotation?.go()
    } catch (error) {
      rotation?.reject(error)
    }
  }

  async #write(): Promise<void> {
    this.#inHand = this.#waiting.splice(0)
    const entries = this.#inHand.flatMap(({ entry }) => entry ?? [])
    if (entries.length > 0) await this.#journal.append(entries)
    for (const { commit, resolve } of this.#inHand.splice(0)) {
      if (commit !== undefined && commit.changes.length > 0) this.#told(commit.changes)
      resolve()
    }
  }

  /** Within a turn of its own, so that no transaction sees half of it. */
  async #refuse(error: unknown): Promise<void> {
    const refused = [...this.#inHand.splice(0), ...this.#waiting.splice(0)]
    for (const { commit } of refused.toReversed()) commit?.undo()
    this.#sequence = this.#journal.durable
    await this.#journal.cut().catch((cause: unknown) => {
      this.#log.warn({ error: messageOf(cause) }, 'the change journal could not be cut back yet')
    })
    this.#log.error({ error: messageOf(error), commits: refused.length }, 'the store could not be written')
    for (const { reject } of refused) reject(unwritable(error))
  }
}

export function unwritable(cause: unknown): Outage {
  const detail = `The store cannot be written: ${messageOf(cause)}. Nothing was changed.`
  return new Outage('store_unwritable', detail, { transient: true, cause })
}
