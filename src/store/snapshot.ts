import { Outage } from '../base/errors.ts'
import { collections } from './collections.ts'
import type {
  Collection,
  CollectionName,
  Journal,
  JournalName,
  Page,
  Part,
  ReadCollection,
  ReadJournal,
  ReadTransaction,
  Store,
  Transaction,
} from './store.ts'

const journals: Readonly<Record<JournalName, true>> = { audit: true, charges: true }
const pageLength = 500

/**
 * Hands out everything that a store holds at one moment, some at a time, while others go on.
 * @throws Outage `snapshot_lost` (transient) when it was broken off and would have to begin anew; what the store throws.
 */
export async function takeSnapshot(store: Store, take: (part: Part) => Promise<void>): Promise<void> {
  if (store.snapshot !== undefined) {
    for await (const part of await store.snapshot()) await take(part)
    return
  }
  let begun = false
  await store.read(async (tx) => {
    if (begun) throw new Outage('snapshot_lost', 'The database was lost meanwhile.', { transient: true })
    begun = true
    for (const pages of allPages(tx)) for await (const part of pages) await take(part)
  })
}

/** Puts what a part holds into a store, in the transaction at hand. The values are what was once written as such. */
export async function putPart(tx: Transaction, { name, items }: Part): Promise<void> {
  if (isCollection(name)) return putDocuments(tx, name, items)
  return appendRows(tx, name, items)
}

/** Whether a store holds nothing at all. */
export function isEmpty(store: Store): Promise<boolean> {
  return store.read(async (tx) => {
    for (const pages of allPages(tx)) {
      for await (const { items } of pages) if (items.length > 0) return false
    }
    return true
  })
}

export function isPartName(name: unknown): name is Part['name'] {
  return typeof name === 'string' && (isCollection(name) || isJournal(name))
}

export function isJournal(name: string): name is JournalName {
  return Object.hasOwn(journals, name)
}

function isCollection(name: string): name is CollectionName {
  return Object.hasOwn(collections, name)
}

function allPages(tx: ReadTransaction): AsyncGenerator<Part>[] {
  return [
    ...Object.keys(collections)
      .filter(isCollection)
      .map((name) => collectionPages(tx, name)),
    ...Object.keys(journals)
      .filter(isJournal)
      .map((name) => journalPages(tx, name)),
  ]
}

function collectionPages<K extends CollectionName>(tx: ReadTransaction, name: K): AsyncGenerator<Part> {
  const all: { readonly [P in CollectionName]: ReadCollection<P> } = tx
  const collection: ReadCollection<K> = all[name]
  return pagesOf(name, (after) => collection.page({ limit: pageLength, ...after }))
}

function journalPages<N extends JournalName>(tx: ReadTransaction, name: N): AsyncGenerator<Part> {
  const all: { readonly [P in JournalName]: ReadJournal<P> } = tx
  const journal: ReadJournal<N> = all[name]
  return pagesOf(name, (after) => journal.page({ limit: pageLength, ...after }))
}

async function* pagesOf(
  name: Part['name'],
  page: (after: { after?: string }) => Promise<Page<unknown>>,
): AsyncGenerator<Part, void, undefined> {
  let after: { after?: string } = {}
  for (;;) {
    const { items, next } = await page(after)
    if (items.length > 0) yield { name, items }
    if (next === null) return
    after = { after: next }
  }
}

async function putDocuments<K extends CollectionName>(
  tx: Transaction,
  name: K,
  items: readonly unknown[],
): Promise<void> {
  const all: { readonly [P in CollectionName]: Collection<P> } = tx
  const collection: Collection<K> = all[name]
  for (const item of items)
    if (isWritten<Parameters<typeof collection.put>[0]>(item)) await collection.put(item)
}

async function appendRows<N extends JournalName>(
  tx: Transaction,
  name: N,
  items: readonly unknown[],
): Promise<void> {
  const all: { readonly [P in JournalName]: Journal<P> } = tx
  const journal: Journal<N> = all[name]
  for (const item of items)
    if (isWritten<Parameters<typeof journal.append>[0]>(item)) await journal.append(item)
}

/** What carries the checksum of what we wrote is what we wrote. */
function isWritten<T>(value: unknown): value is T {
  return typeof value === 'object' && value !== null && 'id' in value
}
