const chunkSize = 512

/**
 * Items kept in order, in chunks of a few hundred: a place is found by halving, and adding in the middle of 100,000
 * moves one chunk, not all of them.
 */
export class SortedList<T> {
  readonly #compare: (a: T, b: T) => number
  #chunks: T[][] = []

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  add(item: T): void {
    // Most ids sort behind those before them, so the end is looked at first.
    const last = this.#chunks.at(-1)?.at(-1)
    const isLast = last !== undefined && this.#compare(last, item) < 0
    const end = { chunk: this.#chunks.length, item: 0 }
    const at = isLast ? end : this.#place((other) => this.#compare(other, item) < 0)
    const chunkAt = Math.min(at.chunk, this.#chunks.length - 1)
    const chunk = this.#chunks[chunkAt]
    if (chunk === undefined) {
      this.#chunks.push([item])
      return
    }
    chunk.splice(at.chunk > chunkAt ? chunk.length : at.item, 0, item)
    if (chunk.length > 2 * chunkSize) this.#chunks.splice(chunkAt + 1, 0, chunk.splice(chunkSize))
  }

  /** Takes out the item that compares as equal, if there is one. */
  remove(item: T): void {
    const at = this.#place((other) => this.#compare(other, item) < 0)
    const chunk = this.#chunks[at.chunk]
    const found = chunk?.[at.item]
    if (chunk === undefined || found === undefined || this.#compare(found, item) !== 0) return
    chunk.splice(at.item, 1)
    if (chunk.length === 0) this.#chunks.splice(at.chunk, 1)
  }

  first(): T | undefined {
    return this.#chunks[0]?.[0]
  }

  /** Upwards from the first item that is not before the place. */
  *ascending(isBefore: (item: T) => boolean = () => false): Generator<T, void, undefined> {
    const at = this.#place(isBefore)
    for (let c = at.chunk; c < this.#chunks.length; c++) {
      const chunk = this.#chunks[c] ?? []
      yield* c === at.chunk ? chunk.slice(at.item) : chunk
    }
  }

  /** Downwards from the last item that is before the place. */
  *descending(isBefore: (item: T) => boolean = () => true): Generator<T, void, undefined> {
    const at = this.#place(isBefore)
    for (let c = Math.min(at.chunk, this.#chunks.length - 1); c >= 0; c--) {
      const chunk = this.#chunks[c] ?? []
      yield* (c === at.chunk ? chunk.slice(0, at.item) : chunk.slice()).reverse()
    }
  }

  /** Where the first item stands that is not before the place: `isBefore` is true up to it and false from there on. */
  #place(isBefore: (item: T) => boolean): { chunk: number; item: number } {
    const chunk = firstNot(this.#chunks, (items) => {
      const last = items.at(-1)
      return last !== undefined && isBefore(last)
    })
    return { chunk, item: firstNot(this.#chunks[chunk] ?? [], isBefore) }
  }
}

function firstNot<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item !== undefined && holds(item)) low = middle + 1
    else high = middle
  }
  return low
}
