import { assert } from '../../base/errors.ts'
import type { Change } from '../store.ts'
import { DatabaseFault } from './faults.ts'
import type { Row, Session, Statement, Value } from './session.ts'
import { Writes } from './writes.ts'

/**
 * How a transaction is kept apart from others, so that each is as if alone.
 *
 * `beside`: it has asked only for documents that are there, by id or by claim. Each is locked until the end, so no other
 * transaction can come between (two-phase locking), and any number run beside one another. `watched`: it has looked
 * around: at an index, or at what is not there. PostgreSQL watches what it and others like it have read, and refuses
 * those that could not have run one after the other. `alone`: tried again after a conflict, so that it cannot have
 * another. The three keep out of each other's way by the mode in which each locks the table `turn`; that lock is had
 * before the first look at the data.
 */
export type Mode = 'beside' | 'watched' | 'alone' | 'reading'

const begin: Readonly<Record<Mode, string>> = {
  beside: 'BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE turn IN ROW EXCLUSIVE MODE',
  watched: 'BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE turn IN SHARE MODE',
  alone: 'BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE turn IN EXCLUSIVE MODE',
  reading: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
}

/** Thrown into work that has to be run again in another mode. */
class NotBeside extends Error {
  override readonly name = 'NotBeside'
}

/** How an attempt ended. `again` names the mode to try next; `fault` is why, when it was not only the mode. */
export type Ending<T> =
  | { kind: 'done'; value: T; isWritten: boolean; changes: readonly Change[] }
  | { kind: 'threw'; error: unknown }
  | { kind: 'failed'; fault: DatabaseFault; isUnknown: boolean }
  | { kind: 'again'; mode: Mode }

/**
 * Whether those that look around are in each other's way just now. Then the next few run alone from the start, which
 * spares them the try that would fail.
 */
export class Crowd {
  #left = 0

  get mode(): Mode {
    if (this.#left === 0) return 'watched'
    this.#left--
    return 'alone'
  }

  met(): void {
    this.#left = 8
  }
}

/** What an attempt finds: how it gets a connection, who we are among the processes, and how crowded it is. */
export interface Surroundings {
  open(): Promise<Session>
  readonly sender: string
  readonly crowd: Crowd
}

/** One try at running a transaction's work. The database hears of it with its first question. */
export class Attempt {
  readonly writes = new Writes()
  readonly #around: Surroundings
  #mode: Mode | undefined
  #session: Promise<Session> | undefined
  #opened: Session | undefined
  #isOpen = true
  #isSaved = false
  /** Whether the connection was lost during the commit, so that nobody knows whether it came about. */
  #isUnknown = false
  #fault: Error | undefined

  constructor(around: Surroundings, mode: Mode | undefined) {
    this.#around = around
    this.#mode = mode
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether documents that are asked for by id have to be locked. */
  get isLocking(): boolean {
    return (this.#mode ?? 'beside') === 'beside'
  }

  use(): void {
    assert(this.#isOpen, 'a transaction is over when its work has returned: something was not awaited')
  }

  /** A change that fails spoils the transaction, even when its work goes on. */
  change(work: () => void): void {
    this.use()
    try {
      work()
    } catch (error) {
      throw this.#spoil(error)
    }
  }

  /** Asks for documents by id or by claim. */
  async askFor(table: string, statement: Statement, values: readonly Value[]): Promise<Row[]> {
    this.use()
    this.#mode ??= 'beside'
    return this.#ask(table, statement, values)
  }

  /** Asks what there is: an index, a page, all. */
  async lookAround(table: string, statement: Statement, values: readonly Value[]): Promise<Row[]> {
    this.use()
    this.#mode ??= this.#around.crowd.mode
    this.mustNotBeBeside()
    return this.#ask(table, statement, values)
  }

  /** What is not there cannot be locked, so that others could put it: that has to be watched. */
  mustNotBeBeside(): void {
    if (this.#mode === 'beside') throw this.#spoil(new NotBeside('looks around'))
  }

  async carryOut<T>(work: () => Promise<T>): Promise<Ending<T>> {
    try {
      const outcome = await settled(work)
      this.#isOpen = false
      return this.#fault === undefined ? await this.#finish(outcome) : this.#spoilt(this.#fault)
    } finally {
      // A read has nothing to wait for: what it saw was durable when it saw it.
      const ended = this.#opened?.end()
      if (this.#mode !== 'reading') await ended
    }
  }

  async #ask(table: string, statement: Statement, values: readonly Value[]): Promise<Row[]> {
    const session = await this.#connected()
    try {
      const flushed = this.#flush(session, table)
      const [rows] = await Promise.all([session.run(statement, values), ...flushed])
      return rows
    } catch (error) {
      throw this.#spoil(error)
    }
  }

  /** So that what is asked next sees it. Watched work may throw afterwards, and then only this is taken back. */
  #flush(session: Session, table: string): Promise<unknown>[] {
    if (!this.writes.has(table)) return []
    const saved = this.#mode === 'watched' && !this.#isSaved ? [session.command('SAVEPOINT clean')] : []
    this.#isSaved ||= saved.length > 0
    return [...saved, ...this.writes.flush(session, [table])]
  }

  #spoil(error: unknown): Error {
    return (this.#fault ??= error instanceof Error ? error : new Error(String(error)))
  }

  #connected(): Promise<Session> {
    return (this.#session ??= this.#begin())
  }

  async #begin(): Promise<Session> {
    try {
      const session = await this.#around.open()
      this.#opened = session
      // What follows goes out behind it, and fails when it does.
      session.command(begin[this.#mode ?? 'beside']).catch(() => undefined)
      return session
    } catch (error) {
      throw this.#spoil(error)
    }
  }

  async #finish<T>(outcome: Outcome<T>): Promise<Ending<T>> {
    if ('error' in outcome) return this.#threw(outcome.error)
    const { value } = outcome
    const { isAny, changes } = this.writes
    const isIdle = this.#session === undefined && !isAny
    if (isIdle || this.#mode === 'reading') return { kind: 'done', value, isWritten: false, changes }
    const fault = await this.#commit()
    if (fault !== undefined) return this.#spoilt(fault)
    return { kind: 'done', value, isWritten: isAny, changes }
  }

  async #commit(): Promise<unknown> {
    try {
      const session = await this.#connected()
      // Lost before the commit was sent: then it is certain that nothing came about.
      if (session.fault !== undefined) return session.fault
      const sent = [...this.writes.flush(session), ...this.writes.tell(session, this.#around.sender)]
      const { fault, isUnknown } = await committed(session, sent)
      this.#isUnknown = isUnknown && this.writes.isAny
      return fault
    } catch (error) {
      return error
    }
  }

  /** What watched work threw may rest on things that did not all hold at once: only the commit tells. */
  async #threw(error: unknown): Promise<Ending<never>> {
    const session = this.#opened
    if (this.#mode !== 'watched' || session === undefined) return { kind: 'threw', error }
    const sent = this.#isSaved ? [session.command('ROLLBACK TO SAVEPOINT clean')] : []
    const { fault } = await committed(session, sent)
    return fault === undefined ? { kind: 'threw', error } : this.#spoilt(fault)
  }

  #spoilt(error: unknown): Ending<never> {
    if (error instanceof NotBeside) return { kind: 'again', mode: this.#around.crowd.mode }
    if (!(error instanceof DatabaseFault)) return { kind: 'threw', error }
    const isConflict = error.kind === 'conflict' || error.kind === 'rival'
    if (isConflict && this.#mode !== 'alone' && this.#mode !== 'reading')
      return { kind: 'again', mode: 'alone' }
    return { kind: 'failed', fault: error, isUnknown: this.#isUnknown }
  }
}

type Outcome<T> = { value: T } | { error: unknown }

async function settled<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    return { error }
  }
}

/**
 * Commits, behind what was sent before. When the connection is lost meanwhile, nobody knows whether that came about;
 * unless the server itself refused something that it was sent before, since it answers in turn.
 */
async function committed(
  session: Session,
  sent: readonly Promise<unknown>[],
): Promise<{ fault?: DatabaseFault; isUnknown: boolean }> {
  const commit = session.command('COMMIT')
  const [answers] = await Promise.all([Promise.allSettled(sent), commit.catch(() => undefined)])
  const { fault } = session
  if (fault !== undefined) {
    const isRefused = fault.isSaid && answers.some(({ status }) => status === 'rejected')
    return { fault, isUnknown: fault.kind === 'lost' && !isRefused }
  }
  const tag = await commit
  if (tag === 'COMMIT') return { isUnknown: false }
  return { fault: new DatabaseFault(new Error(`COMMIT ended as ${tag}`)), isUnknown: false }
}
