import { createHash } from 'node:crypto'
import { Outage } from '../base/errors.ts'
import { counted } from '../base/text.ts'
import { collections } from './collections.ts'
import type {
  Collection,
  CollectionName,
  Journal,
  JournalName,
  ReadCollection,
  ReadJournal,
  Store,
} from './store.ts'

/** What was moved of one collection or journal. */
export interface Moved {
  name: string
  count: number
  /** SHA-256 over everything in order, each as a line of JSON. */
  checksum: string
}

/** Both have the same names, so that one list goes for reading and writing. */
const journals: Readonly<Record<JournalName, true>> = { audit: true, charges: true }
const pageLength = 500

/**
 * Copies a site from one store to another, then reads both again and compares them. Nobody else may write to either
 * meanwhile. The source stays as it is.
 * @throws Outage `store_not_empty` when the target holds something, `store_differs` when the copy is not the same;
 * what the stores throw.
 */
export async function moveSite(from: Store, to: Store): Promise<Moved[]> {
  const parts = [...Object.keys(collections).filter(isCollection).map(collectionPart), ...journalParts()]
  for (const part of parts) await mustBeEmpty(part, to)
  for (const part of parts) await part.copy(from, to)
  const moved: Moved[] = []
  for (const part of parts) moved.push(await compared(part, from, to))
  return moved
}

/** A collection or a journal, whatever it holds. */
interface Part {
  name: string
  copy(from: Store, to: Store): Promise<void>
  pages(store: Store): AsyncGenerator<readonly unknown[]>
}

function collectionPart<K extends CollectionName>(name: K): Part {
  const pages = (store: Store) =>
    pagesOf((after) =>
      store.read((tx) => {
        const all: { readonly [P in CollectionName]: ReadCollection<P> } = tx
        const collection: ReadCollection<K> = all[name]
        return collection.page({ limit: pageLength, ...after })
      }),
    )
  const copy = async (from: Store, to: Store) => {
    for await (const documents of pages(from)) {
      await to.transact(async (tx) => {
        const all: { readonly [P in CollectionName]: Collection<P> } = tx
        const collection: Collection<K> = all[name]
        for (const document of documents) await collection.put(document)
      })
    }
  }
  return { name, copy, pages }
}

function journalParts(): Part[] {
  return Object.keys(journals).filter(isJournal).map(journalPart)
}

function journalPart<N extends JournalName>(name: N): Part {
  const pages = (store: Store) =>
    pagesOf((after) =>
      store.read((tx) => {
        const all: { readonly [P in JournalName]: ReadJournal<P> } = tx
        const journal: ReadJournal<N> = all[name]
        return journal.page({ limit: pageLength, ...after })
      }),
    )
  const copy = async (from: Store, to: Store) => {
    for await (const rows of pages(from)) {
      await to.transact(async (tx) => {
        const all: { readonly [P in JournalName]: Journal<P> } = tx
        const journal: Journal<N> = all[name]
        for (const row of rows) await journal.append(row)
      })
    }
  }
  return { name, copy, pages }
}

async function* pagesOf<T>(
  page: (after: { after?: string }) => Promise<{ items: T[]; next: string | null }>,
): AsyncGenerator<T[]> {
  let after: { after?: string } = {}
  for (;;) {
    const { items, next } = await page(after)
    if (items.length > 0) yield items
    if (next === null) return
    after = { after: next }
  }
}

async function mustBeEmpty(part: Part, store: Store): Promise<void> {
  for await (const page of part.pages(store)) {
    throw new Outage(
      'store_not_empty',
      `The target holds ${part.name} already (${counted(page.length, 'row')} or more). Move to an empty one.`,
      { transient: false },
    )
  }
}

async function compared(part: Part, from: Store, to: Store): Promise<Moved> {
  const { name } = part
  const [before, after] = [await checksumOf(part.pages(from)), await checksumOf(part.pages(to))]
  if (before.checksum === after.checksum) return { name, ...after }
  throw new Outage(
    'store_differs',
    `${name} differ: ${before.count} before, ${after.count} after. Stop everything that uses either store, and move again.`,
    { transient: false },
  )
}

async function checksumOf(
  pages: AsyncIterable<readonly unknown[]>,
): Promise<{ count: number; checksum: string }> {
  const hash = createHash('sha256')
  let count = 0
  for await (const page of pages) {
    for (const item of page) hash.update(`${JSON.stringify(item)}\n`)
    count += page.length
  }
  return { count, checksum: hash.digest('hex') }
}

function isCollection(name: string): name is CollectionName {
  return Object.hasOwn(collections, name)
}

function isJournal(name: string): name is JournalName {
  return Object.hasOwn(journals, name)
}
