import { assert } from '../../base/errors.ts'
import { frozen } from '../frozen.ts'
import type {
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
import type { Attempt } from './attempt.ts'
import type { Row, Statement } from './session.ts'
import type { Table } from './table.ts'
import { tables } from './tables.ts'
import { behindAll, fromColumn, toColumn } from './text.ts'
import { journalTable } from './writes.ts'

/** The database as one attempt at a transaction may use it. */
export function transactionOn(attempt: Attempt): Transaction {
  return {
    machines: new WorkingCollection('machines', tables.machines, attempt),
    requests: new WorkingCollection('requests', tables.requests, attempt),
    accounts: new WorkingCollection('accounts', tables.accounts, attempt),
    commitments: new WorkingCollection('commitments', tables.commitments, attempt),
    tallies: new WorkingCollection('tallies', tables.tallies, attempt),
    tariffs: new WorkingCollection('tariffs', tables.tariffs, attempt),
    hosts: new WorkingCollection('hosts', tables.hosts, attempt),
    images: new WorkingCollection('images', tables.images, attempt),
    desktops: new WorkingCollection('desktops', tables.desktops, attempt),
    leases: new WorkingCollection('leases', tables.leases, attempt),
    jobs: new WorkingCollection('jobs', tables.jobs, attempt),
    notices: new WorkingCollection('notices', tables.notices, attempt),
    messages: new WorkingCollection('messages', tables.messages, attempt),
    sessions: new WorkingCollection('sessions', tables.sessions, attempt),
    settings: new WorkingCollection('settings', tables.settings, attempt),
    links: new WorkingCollection('links', tables.links, attempt),
    pools: new WorkingCollection('pools', tables.pools, attempt),
    terminals: new WorkingCollection('terminals', tables.terminals, attempt),
    vouchers: new WorkingCollection('vouchers', tables.vouchers, attempt),
    attempts: new WorkingCollection('attempts', tables.attempts, attempt),
    answers: new WorkingCollection('answers', tables.answers, attempt),
    counters: new WorkingCollection('counters', tables.counters, attempt),
    secrets: new WorkingCollection('secrets', tables.secrets, attempt),
    processes: new WorkingCollection('processes', tables.processes, attempt),
    relays: new WorkingCollection('relays', tables.relays, attempt),
    demand: new WorkingCollection('demand', tables.demand, attempt),
    audit: new WorkingJournal('audit', attempt),
    charges: new WorkingJournal('charges', attempt),
  }
}

class WorkingCollection<K extends CollectionName> implements Collection<K> {
  readonly #name: K
  readonly #table: Table<Documents[K]>
  readonly #attempt: Attempt
  /** What was read by id or written: nobody else can change it before the end. */
  readonly #known = new Map<string, Documents[K] | undefined>()

  constructor(name: K, table: Table<Documents[K]>, attempt: Attempt) {
    this.#name = name
    this.#table = table
    this.#attempt = attempt
  }

  async get(id: string): Promise<Documents[K] | undefined> {
    this.#attempt.use()
    if (this.#known.has(id)) return this.#known.get(id)
    const statement = this.#table.get(this.#attempt.isLocking)
    const [row] = await this.#attempt.askFor(this.#name, statement, [toColumn(id)])
    if (row === undefined) this.#attempt.mustNotBeBeside()
    if (!this.#known.has(id)) this.#known.set(id, row && this.#table.document(row[0]))
    return this.#known.get(id)
  }

  async find(index: Indexes[K], key: string): Promise<Documents[K][]> {
    return this.#documents(this.#table.find(index), [toColumn(key)])
  }

  async upTo(index: Indexes[K], bound: string, limit: number): Promise<Documents[K][]> {
    return this.#documents(this.#table.upTo(index), [toColumn(bound), Math.max(0, limit)])
  }

  async lowest(index: Indexes[K]): Promise<string | undefined> {
    const key = (await this.#rows(this.#table.lowest(index), []))[0]?.[0]
    return typeof key === 'string' ? fromColumn(key) : undefined
  }

  async count(index: Indexes[K], key: string): Promise<number> {
    const [row] = await this.#rows(this.#table.count(index), [toColumn(key)])
    return Number(row?.[0])
  }

  async total(index: Indexes[K], key: string): Promise<Total> {
    const [row] = await this.#rows(this.#table.total(index), [toColumn(key)])
    const { numbers } = this.#table.totalShape(index)
    const sums = numbers.map(({ name }, at): [string, number] => [name, Number(row?.[at + 1] ?? 0)])
    return { count: Number(row?.[0] ?? 0), sums: Object.fromEntries(sums) }
  }

  async page(options: PageOptions<Indexes[K]>): Promise<Page<Documents[K]>> {
    const { where, after, limit, newestFirst = false } = options
    assert(Number.isInteger(limit) && limit > 0, 'a page has room for a document')
    const first = newestFirst ? behindAll : ''
    const from = after === undefined ? first : toColumn(after)
    const key = where === undefined ? [] : [toColumn(where.key)]
    const statement = this.#table.page(where?.index, newestFirst)
    const items = await this.#documents(statement, [from, limit + 1, ...key])
    return pageOf(items, limit, (last) => this.#table.order(last))
  }

  async all(): Promise<Documents[K][]> {
    return this.#documents(this.#table.all(), [])
  }

  async put(document: Documents[K]): Promise<void> {
    this.#attempt.change(() => {
      frozen(document, `${this.#name} ${document.id}`)
      const [statement, values] = [this.#table.put, this.#table.row(document)]
      this.#attempt.writes.add(this.#name, document.id, { kind: 'put', statement, values })
      this.#known.set(document.id, document)
    })
  }

  async remove(id: string): Promise<void> {
    this.#attempt.change(() => {
      const [statement, values] = [this.#table.remove(), [toColumn(id)]]
      this.#attempt.writes.add(this.#name, id, { kind: 'remove', statement, values })
      this.#known.set(id, undefined)
    })
  }

  async claim(index: Indexes[K], key: string): Promise<Documents[K] | undefined> {
    const [row] = await this.#attempt.askFor(this.#name, this.#table.claim(index), [toColumn(key)])
    if (row === undefined) this.#attempt.mustNotBeBeside()
    return row && this.#table.document(row[0])
  }

  async #documents(statement: Statement, values: (string | number)[]): Promise<Documents[K][]> {
    const rows = await this.#rows(statement, values)
    return rows.map(([text]) => this.#table.document(text))
  }

  #rows(statement: Statement, values: (string | number)[]): Promise<Row[]> {
    return this.#attempt.lookAround(this.#name, statement, values)
  }
}

const journalPage: Statement = {
  name: 'journal page',
  text: `SELECT row FROM ${journalTable}
    WHERE journal = $1 AND at >= $2 AND at < $3 AND (at, id) < ($4, $5)
    ORDER BY at DESC, id DESC LIMIT $6`,
}

class WorkingJournal<N extends JournalName> implements Journal<N> {
  readonly #name: N
  readonly #attempt: Attempt

  constructor(name: N, attempt: Attempt) {
    this.#name = name
    this.#attempt = attempt
  }

  async page({ from = '', to, after, limit }: JournalPage): Promise<Page<Journals[N]>> {
    assert(Number.isInteger(limit) && limit > 0, 'a page has room for a row')
    const before = to === undefined ? behindAll : toColumn(to)
    const place = after === undefined ? [behindAll, ''] : placeOf(after)
    const values = [this.#name, toColumn(from), before, ...place, limit + 1]
    const rows = await this.#attempt.lookAround(journalTable, journalPage, values)
    const items = rows.map(([text]) => this.#row(text))
    return pageOf(items, limit, ({ at, id }) => `${at} ${id}`)
  }

  async append(row: Journals[N]): Promise<void> {
    this.#attempt.change(() =>
      this.#attempt.writes.append(this.#name, frozen(row, `${this.#name} ${row.id}`)),
    )
  }

  #row(text: string | null | undefined): Journals[N] {
    const value: unknown = JSON.parse(text ?? 'null')
    assert(this.#isRow(value), `what was written to ${this.#name} is a row`)
    return frozen(value, this.#name)
  }

  #isRow(value: unknown): value is Journals[N] {
    return typeof value === 'object' && value !== null && 'id' in value && 'at' in value
  }
}

/** The instant and the id that a page's `next` names. */
function placeOf(cursor: string): [string, string] {
  const [at = '', ...id] = cursor.split(' ')
  return [toColumn(at), toColumn(id.join(' '))]
}

/** One more than the page has room for was asked for, to know whether there is more. */
function pageOf<T>(found: T[], limit: number, place: (last: T) => string): Page<T> {
  if (found.length <= limit) return { items: found, next: null }
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, next: last === undefined ? null : place(last) }
}
