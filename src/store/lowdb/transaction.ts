import { z } from 'zod'
import { assert } from '../../base/errors.ts'
import { frozen } from '../frozen.ts'
import type {
  Change,
  Collection,
  CollectionName,
  Documents,
  Indexes,
  Journal,
  JournalName,
  JournalPage,
  Journals,
  Page,
  PageOptions,
  Total,
  Transaction,
} from '../store.ts'
import type { Commit } from './group-commit.ts'
import type { Memory } from './memory.ts'
import type { MonthJournal } from './month-journal.ts'
import type { Table } from './table.ts'

/** What one commit changed, as the change journal has it. A document that is null was removed. */
export const Written = z.object({
  documents: z.array(z.tuple([z.string(), z.string(), z.unknown()])),
  rows: z.array(z.tuple([z.string(), z.unknown()])),
})
export type Written = z.infer<typeof Written>

/**
 * One transaction at work. It writes straight into the memory, where nobody else looks before it has ended, and keeps
 * what is needed to take everything back.
 */
export class Work {
  readonly #undo: (() => void)[] = []
  readonly #changed = new Map<string, { collection: CollectionName; id: string; document: unknown }>()
  readonly #rows: [JournalName, unknown][] = []
  #isOpen = true
  #fault: Error | undefined

  get isOpen(): boolean {
    return this.#isOpen
  }

  get isEmpty(): boolean {
    return this.#changed.size === 0 && this.#rows.length === 0
  }

  /** Nothing may be asked of it from here on. @throws whatever spoiled it, though the work may have swallowed that. */
  end(): void {
    this.#isOpen = false
    if (this.#fault !== undefined) throw this.#fault
  }

  takeBack(): void {
    this.#isOpen = false
    for (const step of this.#undo.splice(0).reverse()) step()
  }

  commit(): Commit {
    const changed = [...this.#changed.values()]
    const documents = changed.map(({ collection, id, document }) => [collection, id, document])
    const json = JSON.stringify({ documents, rows: this.#rows })
    const changes: Change[] = changed.map(({ collection, id }) => ({ collection, id }))
    return { json, changes, undo: () => this.takeBack() }
  }

  use(): void {
    assert(this.#isOpen, 'a transaction is over when its work has returned: something was not awaited')
  }

  /** Runs a change. One that fails spoils the transaction, as it does in a database. */
  change<T>(work: () => T): T {
    this.use()
    try {
      return work()
    } catch (error) {
      this.spoil(error)
      throw error
    }
  }

  spoil(error: unknown): void {
    this.#fault ??= error instanceof Error ? error : new Error(String(error))
  }

  changed(collection: CollectionName, id: string, document: unknown, undo: () => void): void {
    this.#undo.push(undo)
    this.#changed.set(`${collection} ${id}`, { collection, id, document })
  }

  appended(journal: JournalName, row: unknown, undo: () => void): void {
    this.#undo.push(undo)
    this.#rows.push([journal, row])
  }
}

/** The memory as one transaction may use it. */
export function transactionOn({ tables, journals }: Memory, work: Work): Transaction {
  return {
    machines: new WorkingCollection('machines', tables.machines, work),
    requests: new WorkingCollection('requests', tables.requests, work),
    accounts: new WorkingCollection('accounts', tables.accounts, work),
    commitments: new WorkingCollection('commitments', tables.commitments, work),
    tallies: new WorkingCollection('tallies', tables.tallies, work),
    tariffs: new WorkingCollection('tariffs', tables.tariffs, work),
    hosts: new WorkingCollection('hosts', tables.hosts, work),
    images: new WorkingCollection('images', tables.images, work),
    desktops: new WorkingCollection('desktops', tables.desktops, work),
    leases: new WorkingCollection('leases', tables.leases, work),
    jobs: new WorkingCollection('jobs', tables.jobs, work),
    notices: new WorkingCollection('notices', tables.notices, work),
    messages: new WorkingCollection('messages', tables.messages, work),
    sessions: new WorkingCollection('sessions', tables.sessions, work),
    settings: new WorkingCollection('settings', tables.settings, work),
    links: new WorkingCollection('links', tables.links, work),
    pools: new WorkingCollection('pools', tables.pools, work),
    terminals: new WorkingCollection('terminals', tables.terminals, work),
    vouchers: new WorkingCollection('vouchers', tables.vouchers, work),
    attempts: new WorkingCollection('attempts', tables.attempts, work),
    answers: new WorkingCollection('answers', tables.answers, work),
    counters: new WorkingCollection('counters', tables.counters, work),
    secrets: new WorkingCollection('secrets', tables.secrets, work),
    processes: new WorkingCollection('processes', tables.processes, work),
    relays: new WorkingCollection('relays', tables.relays, work),
    demand: new WorkingCollection('demand', tables.demand, work),
    audit: new WorkingJournal('audit', journals.audit, work),
    charges: new WorkingJournal('charges', journals.charges, work),
  }
}

class WorkingCollection<K extends CollectionName> implements Collection<K> {
  readonly #name: K
  readonly #documents: Table<Documents[K]>
  readonly #work: Work

  constructor(name: K, documents: Table<Documents[K]>, work: Work) {
    this.#name = name
    this.#documents = documents
    this.#work = work
  }

  get #table(): Table<Documents[K]> {
    this.#work.use()
    return this.#documents
  }

  async get(id: string): Promise<Documents[K] | undefined> {
    return this.#table.get(id)
  }

  async find(index: Indexes[K], key: string): Promise<Documents[K][]> {
    return this.#table.find(index, key)
  }

  async upTo(index: Indexes[K], bound: string, limit: number): Promise<Documents[K][]> {
    return this.#table.upTo(index, bound, limit)
  }

  async lowest(index: Indexes[K]): Promise<string | undefined> {
    return this.#table.lowest(index)
  }

  async count(index: Indexes[K], key: string): Promise<number> {
    return this.#table.count(index, key)
  }

  async total(index: Indexes[K], key: string): Promise<Total> {
    return this.#table.total(index, key)
  }

  async page(options: PageOptions<Indexes[K]>): Promise<Page<Documents[K]>> {
    return this.#table.page(options)
  }

  async all(): Promise<Documents[K][]> {
    return this.#table.all()
  }

  async put(document: Documents[K]): Promise<void> {
    this.#work.change(() => {
      frozen(document, `${this.#name} ${document.id}`)
      const rival = this.#table.rival(document)
      assert(
        rival === undefined,
        `${this.#name} ${document.id} and ${rival?.id ?? ''} cannot both be ${rival?.index ?? ''} ${rival?.key ?? ''}`,
      )
      this.#work.changed(this.#name, document.id, document, this.#table.put(document))
    })
  }

  async remove(id: string): Promise<void> {
    this.#work.change(() => {
      const undo = this.#table.remove(id)
      if (undo !== undefined) this.#work.changed(this.#name, id, null, undo)
    })
  }

  /** Transactions run one at a time here, so that no other can have claimed it. */
  async claim(index: Indexes[K], key: string): Promise<Documents[K] | undefined> {
    return this.#table.first(index, key)
  }
}

class WorkingJournal<N extends JournalName> implements Journal<N> {
  readonly #name: N
  readonly #journal: MonthJournal<Journals[N]>
  readonly #work: Work

  constructor(name: N, journal: MonthJournal<Journals[N]>, work: Work) {
    this.#name = name
    this.#journal = journal
    this.#work = work
  }

  async page(options: JournalPage): Promise<Page<Journals[N]>> {
    this.#work.use()
    return this.#journal.page(options)
  }

  async append(row: Journals[N]): Promise<void> {
    this.#work.change(() => frozen(row, `${this.#name} ${row.id}`))
    const undo = await this.#journal.append(row).catch((error: unknown) => {
      this.#work.spoil(error)
      throw error
    })
    if (undo === undefined) return
    if (!this.#work.isOpen) undo()
    this.#work.use()
    this.#work.appended(this.#name, row, undo)
  }
}
