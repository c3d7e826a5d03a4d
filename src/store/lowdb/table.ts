import { assert } from '../../base/errors.ts'
import { type Keys, keyList, type Numbers } from '../collections.ts'
import { frozen } from '../frozen.ts'
import type { Page, PageOptions, Total } from '../store.ts'
import { SortedList } from './sorted-list.ts'
import { Totals } from './totals.ts'

export interface TableRule<D> {
  order(document: D): string
  readonly indexes: Readonly<Record<string, (document: D) => Keys>>
  readonly unique: readonly string[]
  readonly totals?: Readonly<Partial<Record<string, Numbers<D>>>>
}

/** A document's place in an index. */
interface Place {
  key: string
  order: string
  id: string
}

interface Index<D> {
  keys(document: D): readonly string[]
  places: SortedList<Place>
  counts: Map<string, number>
}

/** The documents of one collection in memory, with its order and its indexes. Everything here is done at once. */
export class Table<D extends { id: string }> {
  readonly #rule: TableRule<D>
  readonly #documents = new Map<string, D>()
  readonly #ordered = new SortedList<Place>(comparePlaces)
  readonly #indexes = new Map<string, Index<D>>()
  readonly #totals = new Map<string, Totals<D>>()

  constructor(rule: TableRule<D>) {
    this.#rule = rule
    for (const [name, keys] of Object.entries(rule.indexes)) {
      const places = new SortedList<Place>(comparePlaces)
      this.#indexes.set(name, { keys: (document) => keyList(keys(document)), places, counts: new Map() })
      const numbers = rule.totals?.[name]
      if (numbers !== undefined) this.#totals.set(name, new Totals(keys, numbers))
    }
  }

  get(id: string): D | undefined {
    return this.#documents.get(id)
  }

  /** All documents as they are now. A copy: documents never change, so it stays true while others are put. */
  documents(): D[] {
    return [...this.#documents.values()]
  }

  /** Adds or replaces, and tells how to take it back. */
  put(document: D): () => void {
    const before = this.#documents.get(document.id)
    this.#change(before, document)
    return () => this.#change(document, before)
  }

  /** Takes out, and tells how to put back; nothing when there is no such document. */
  remove(id: string): (() => void) | undefined {
    const before = this.#documents.get(id)
    if (before === undefined) return undefined
    this.#change(before, undefined)
    return () => this.#change(undefined, before)
  }

  /** Puts a document that was read back from the disk, whose checksum says that it is one that we wrote. */
  load(value: unknown): void {
    assert(this.#isDocument(value), 'what was written as a document is one')
    this.#change(this.#documents.get(value.id), frozen(value, value.id))
  }

  /** The document that already has a key of this one in an index where each key is had once. */
  rival(document: D): { index: string; key: string; id: string } | undefined {
    for (const index of this.#rule.unique) {
      for (const key of this.#index(index).keys(document)) {
        const other = this.find(index, key).find(({ id }) => id !== document.id)
        if (other !== undefined) return { index, key, id: other.id }
      }
    }
    return undefined
  }

  find(index: string, key: string): D[] {
    return this.#take(this.#index(index).places.ascending(isBelow(key)), (place) => place.key === key)
  }

  first(index: string, key: string): D | undefined {
    return this.#take(this.#index(index).places.ascending(isBelow(key)), (place) => place.key === key, 1)[0]
  }

  upTo(index: string, bound: string, limit: number): D[] {
    return this.#take(this.#index(index).places.ascending(), (place) => place.key <= bound, limit)
  }

  lowest(index: string): string | undefined {
    return this.#index(index).places.first()?.key
  }

  count(index: string, key: string): number {
    return this.#index(index).counts.get(key) ?? 0
  }

  total(index: string, key: string): Total {
    const totals = this.#totals.get(index)
    assert(totals !== undefined, `totals are kept of ${index}`)
    return totals.of(key)
  }

  page({ where, after, limit, newestFirst = false }: PageOptions<string>): Page<D> {
    assert(Number.isInteger(limit) && limit > 0, 'a page has room for a document')
    const key = where?.key ?? ''
    const list = where === undefined ? this.#ordered : this.#index(where.index).places
    const places = newestFirst ? list.descending(isUpTo(key, after)) : list.ascending(isBelow(key, after))
    const items = this.#take(places, (place) => place.key === key, limit + 1)
    if (items.length <= limit) return { items, next: null }
    const shown = items.slice(0, limit)
    const last = shown.at(-1)
    return { items: shown, next: last === undefined ? null : this.#rule.order(last) }
  }

  all(): D[] {
    return this.#take(this.#ordered.ascending(), () => true)
  }

  #take(places: Iterable<Place>, belongs: (place: Place) => boolean, limit = Infinity): D[] {
    const found: D[] = []
    if (limit <= 0) return found
    for (const place of places) {
      if (!belongs(place)) break
      const document = this.#documents.get(place.id)
      assert(document !== undefined, 'an index points at documents that are there')
      if (found.push(document) >= limit) break
    }
    return found
  }

  #change(before: D | undefined, after: D | undefined): void {
    const [from, to] = [before && this.#rule.order(before), after && this.#rule.order(after)]
    for (const index of this.#indexes.values()) {
      const [old, fresh] = [before ? index.keys(before) : [], after ? index.keys(after) : []]
      if (before)
        for (const key of old) if (from !== to || !fresh.includes(key)) this.#unfile(index, key, before)
      if (after) for (const key of fresh) if (from !== to || !old.includes(key)) this.#file(index, key, after)
    }
    for (const totals of this.#totals.values()) totals.change(before, after)
    if (before && from !== to) this.#ordered.remove(this.#place('', before))
    if (after && from !== to) this.#ordered.add(this.#place('', after))
    if (after) this.#documents.set(after.id, after)
    else if (before) this.#documents.delete(before.id)
  }

  #file(index: Index<D>, key: string, document: D): void {
    index.places.add(this.#place(key, document))
    index.counts.set(key, (index.counts.get(key) ?? 0) + 1)
  }

  #unfile(index: Index<D>, key: string, document: D): void {
    index.places.remove(this.#place(key, document))
    const left = (index.counts.get(key) ?? 0) - 1
    if (left > 0) index.counts.set(key, left)
    else index.counts.delete(key)
  }

  #place(key: string, document: D): Place {
    return { key, order: this.#rule.order(document), id: document.id }
  }

  #index(name: string): Index<D> {
    const index = this.#indexes.get(name)
    assert(index !== undefined, `there is an index ${name}`)
    return index
  }

  #isDocument(value: unknown): value is D {
    return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'
  }
}

function comparePlaces(a: Place, b: Place): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1
  return compareText(a.order, b.order) || compareText(a.id, b.id)
}

/** By code unit: the same on every machine, and text order is time order for instants. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function isBelow(key: string, after?: string): (place: Place) => boolean {
  return (place) => place.key < key || (place.key === key && after !== undefined && place.order <= after)
}

function isUpTo(key: string, after?: string): (place: Place) => boolean {
  return (place) => place.key < key || (place.key === key && (after === undefined || place.order < after))
}
