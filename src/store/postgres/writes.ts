import type { Change, CollectionName, JournalName } from '../store.ts'
import type { Row, Session, Statement, Value } from './session.ts'
import { toColumn } from './text.ts'

interface Write {
  kind: 'put' | 'remove'
  statement: Statement
  values: readonly Value[]
}

/** Rows of all journals are in one table, under their natural keys. */
export const journalTable = 'journal_rows'

const append: Statement = {
  name: 'journal append',
  text: `INSERT INTO ${journalTable} (journal, at, id, row) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
}
const tell: Statement = {
  name: 'changes tell',
  text: 'INSERT INTO changes (sender, list) VALUES ($1, $2)',
}

/** What a transaction has written and the database does not know yet: the last state of each document. */
export class Writes {
  readonly #waiting = new Map<string, Map<string, Write>>()
  readonly #changed = new Map<string, Change>()
  #isAny = false

  /** Whether anything was ever written. */
  get isAny(): boolean {
    return this.#isAny
  }

  get changes(): readonly Change[] {
    return [...this.#changed.values()]
  }

  add(collection: CollectionName, id: string, write: Write): void {
    this.#in(collection).set(id, write)
    this.#changed.set(`${collection} ${id}`, { collection, id })
  }

  append(journal: JournalName, row: { id: string; at: string }): void {
    const waiting = this.#in(journalTable)
    const key = `${journal} ${row.id}`
    if (waiting.has(key)) return
    const values = [journal, toColumn(row.at), toColumn(row.id), JSON.stringify(row)]
    waiting.set(key, { kind: 'put', statement: append, values })
  }

  has(table: string): boolean {
    return this.#waiting.has(table)
  }

  /**
   * Sends the writes to one table, or all that are left. In the order of ids, so that two transactions that write the
   * same documents do not wait for each other.
   */
  flush(session: Session, tables: readonly string[] = [...this.#waiting.keys()].sort()): Promise<Row[]>[] {
    return tables.flatMap((table) => {
      const waiting = [...(this.#waiting.get(table) ?? [])].sort(inOrder)
      this.#waiting.delete(table)
      return waiting.map(([, { statement, values }]) => session.run(statement, values))
    })
  }

  /** Leaves word of what was changed, for the listeners of other processes. */
  tell(session: Session, sender: string): Promise<Row[]>[] {
    if (this.#changed.size === 0) return []
    const list = this.changes.map(({ collection, id }) => [collection, id])
    return [session.run(tell, [sender, JSON.stringify(list)])]
  }

  #in(table: string): Map<string, Write> {
    this.#isAny = true
    const waiting = this.#waiting.get(table) ?? new Map<string, Write>()
    this.#waiting.set(table, waiting)
    return waiting
  }
}

/** What is removed goes first: it may make room for an order key. */
function inOrder([a, first]: [string, Write], [b, second]: [string, Write]): number {
  if (first.kind !== second.kind) return first.kind === 'remove' ? -1 : 1
  return a < b ? -1 : 1
}
