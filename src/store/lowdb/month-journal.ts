import { assert } from '../../base/errors.ts'
import { type Formats, upgraded } from '../formats.ts'
import { frozen } from '../frozen.ts'
import type { JournalPage, Page } from '../store.ts'
import { type Files, sizeOf } from './files.ts'
import { damaged, readLines } from './lines.ts'
import { type Block, byDay, dayOf, foldMonth, type Row } from './month-file.ts'
import { SortedList } from './sorted-list.ts'
import { compareText } from './table.ts'

interface Folder {
  files: Files
  formats: Formats
}

/** Of how many blocks the ids are kept that were looked through for a row. */
const knownBlocks = 256

/**
 * One journal: the newest rows in memory, the rest in a file for each month (UTC) of which only the blocks are known
 * here. Rows move to the files when the change journal is folded; which blocks count is said by the checkpoint, so
 * bytes behind the last known block are left over from a fold that a crash cut short, and are written over.
 */
export class MonthJournal<R extends Row> {
  readonly #name: string
  readonly #files: Files
  readonly #formats: Formats
  #rows = new Map<string, R>()
  #ordered = new SortedList<R>(compareRows)
  #blocks: readonly Block[]
  /** Blocks by each day (UTC) that they hold rows of: there are tens of thousands of a large site's year. */
  #days: ReadonlyMap<string, readonly Block[]>
  /** Ids by block, those read last at the end: rows of one time often come in large numbers. */
  readonly #ids = new Map<Block, ReadonlySet<string>>()

  constructor(name: string, { files, formats }: Folder, blocks: readonly Block[]) {
    this.#name = name
    this.#files = files
    this.#formats = formats
    this.#blocks = blocks
    this.#days = byDay(blocks)
  }

  /** The rows that are in no month file yet, as they are now, oldest first. */
  rows(): R[] {
    return [...this.#ordered.ascending()]
  }

  /** All rows as they are now, to be read whenever there is time: blocks that are known are never written to again. */
  snapshot(): AsyncIterable<readonly R[]> {
    return this.#readAll(this.#blocks, this.rows())
  }

  /** Adds a row and tells how to take it back; nothing when it is there already. */
  async append(row: R): Promise<(() => void) | undefined> {
    if (this.#rows.has(row.id)) return undefined
    // A row that is added again bears the same instant, so only blocks around that instant can hold it.
    for (const block of this.#days.get(dayOf(row.at)) ?? []) {
      if (row.at < block.from || block.to < row.at) continue
      const ids = this.#ids.get(block) ?? (await this.#idsIn(block))
      if (ids.has(row.id)) return undefined
    }
    if (this.#rows.has(row.id)) return undefined
    this.#add(row)
    return () => this.#drop(row)
  }

  /** Adds a row that was read back from the change journal. */
  load(value: unknown): void {
    assert(this.#isRow(value), 'what was written as a row is one')
    this.#add(frozen(value, this.#name))
  }

  async page(options: JournalPage): Promise<Page<R>> {
    const { from, to, after, limit } = options
    assert(Number.isInteger(limit) && limit > 0, 'a page has room for a row')
    const wanted = (row: R) =>
      (from === undefined || row.at >= from) &&
      (to === undefined || row.at < to) &&
      (after === undefined || place(row) < after)
    let rows = this.#newest({ ...options, limit: limit + 1 })
    for (const block of this.#candidates(options)) {
      const last = rows[limit]
      if (last !== undefined && last.at > block.to) break
      const older = (await this.#read(block)).filter(wanted)
      rows = [...rows, ...older].sort((a, b) => compareRows(b, a)).slice(0, limit + 1)
    }
    const last = rows[limit - 1]
    return { items: rows.slice(0, limit), next: rows.length > limit && last ? place(last) : null }
  }

  /** Writes rows to their month files, durably, and gives the blocks as they will be once a checkpoint says so. */
  async fold(rows: readonly R[]): Promise<readonly Block[]> {
    const months = new Map<string, R[]>()
    for (const row of rows) {
      const name = row.at.slice(0, 7)
      const month = months.get(name)
      if (month === undefined) months.set(name, [row])
      else month.push(row)
    }
    let blocks = this.#blocks
    for (const [month, some] of months) {
      const file = `${this.#name}-${month}.jsonl`
      const known = blocks.filter((block) => block.file === file)
      const others = blocks.filter((block) => block.file !== file)
      blocks = [
        ...others,
        ...(await foldMonth(this.#files, { name: file, format: this.#formats.current }, some, known)),
      ]
    }
    return blocks
  }

  /** Lets go of rows that a checkpoint now says are in these blocks. */
  adopt(blocks: readonly Block[], rows: readonly R[]): void {
    this.#blocks = blocks
    this.#days = byDay(blocks)
    const isThere = new Set(blocks)
    for (const block of this.#ids.keys()) if (!isThere.has(block)) this.#ids.delete(block)
    // Those that came since are few, and the others may be tens of thousands: it is those few that are moved.
    const folded = new Set(rows)
    const since = [...this.#rows.values()].filter((row) => !folded.has(row))
    this.#rows = new Map()
    this.#ordered = new SortedList<R>(compareRows)
    for (const row of since) this.#add(row)
  }

  /** @throws Outage `store_damaged` when a month file is shorter than what was folded into it. */
  async check(): Promise<void> {
    const ends = new Map(this.#blocks.map((block) => [block.file, block.offset + block.bytes]))
    for (const [name, end] of ends) {
      const size = await sizeOf(this.#files, name)
      if (size < end) throw damaged(name, size, 'Restore the folder from a backup.')
    }
  }

  async *#readAll(
    blocks: readonly Block[],
    newest: readonly R[],
  ): AsyncGenerator<readonly R[], void, undefined> {
    for (const block of blocks) yield await this.#read(block)
    yield newest
  }

  #add(row: R): void {
    this.#rows.set(row.id, row)
    this.#ordered.add(row)
  }

  #drop(row: R): void {
    this.#rows.delete(row.id)
    this.#ordered.remove(row)
  }

  #newest({ from, to, after, limit }: JournalPage): R[] {
    const found: R[] = []
    const isBefore = (row: R) =>
      (to === undefined || row.at < to) && (after === undefined || place(row) < after)
    for (const row of this.#ordered.descending(isBefore)) {
      if (found.length >= limit || (from !== undefined && row.at < from)) break
      found.push(row)
    }
    return found
  }

  /** Blocks that may hold rows of a page, those with the newest rows first. */
  #candidates({ from, to, after }: JournalPage): Block[] {
    const holds = (block: Block) =>
      (from === undefined || block.to >= from) &&
      (to === undefined || block.from < to) &&
      (after === undefined || block.from <= after)
    return this.#blocks.filter(holds).sort((a, b) => compareText(b.to, a.to))
  }

  async #idsIn(block: Block): Promise<ReadonlySet<string>> {
    const ids = new Set((await this.#read(block)).map(({ id }) => id))
    this.#ids.set(block, ids)
    const [oldest] = this.#ids.keys()
    if (this.#ids.size > knownBlocks && oldest !== undefined) this.#ids.delete(oldest)
    return ids
  }

  async #read(block: Block): Promise<R[]> {
    const rows: R[] = []
    const file = await this.#files.open(block.file)
    if (file === undefined) throw damaged(block.file, block.offset, 'Restore it from a backup.')
    try {
      for await (const line of readLines(file, block.offset, block.offset + block.bytes)) {
        const row = line.text === undefined ? undefined : this.#parse(line.text, block.format)
        if (!this.#isRow(row)) throw damaged(block.file, line.offset, 'Restore it from a backup.')
        rows.push(frozen(row, block.file))
      }
    } finally {
      await file.close()
    }
    return rows
  }

  #parse(text: string, format: number): unknown {
    return upgraded(this.#formats, format, this.#name, JSON.parse(text))
  }

  #isRow(value: unknown): value is R {
    return typeof value === 'object' && value !== null && 'id' in value && 'at' in value
  }
}

/** Where a row stands in its journal, as text in the order of rows: instants are all of one length. */
function place(row: Row): string {
  return `${row.at} ${row.id}`
}

function compareRows(a: Row, b: Row): number {
  return compareText(a.at, b.at) || compareText(a.id, b.id)
}
