import { assert } from '../../base/errors.ts'
import { type Keys, keyList, type Numbers } from '../collections.ts'
import type { Total } from '../store.ts'

/** What the documents of each key of an index add up to, kept while they change. */
export class Totals<D> {
  readonly #keys: (document: D) => Keys
  readonly #numbers: readonly (readonly [string, (document: D) => number])[]
  readonly #byKey = new Map<string, Total>()

  constructor(keys: (document: D) => Keys, numbers: Numbers<D>) {
    this.#keys = keys
    this.#numbers = Object.entries(numbers)
  }

  of(key: string): Total {
    return this.#byKey.get(key) ?? this.#added({ count: 0, sums: {} }, undefined, 0)
  }

  change(before: D | undefined, after: D | undefined): void {
    // Mostly nothing changes that counts, and what is added and taken again would not be exactly what it was.
    if (before !== undefined && after !== undefined && this.#isSame(before, after)) return
    if (before !== undefined) this.#move(before, -1)
    if (after !== undefined) this.#move(after, 1)
  }

  #isSame(one: D, other: D): boolean {
    const [a, b] = [keyList(this.#keys(one)), keyList(this.#keys(other))]
    return (
      a.length === b.length &&
      a.every((key, index) => key === b[index]) &&
      this.#numbers.every(([, number]) => number(one) === number(other))
    )
  }

  #move(document: D, sign: 1 | -1): void {
    for (const key of keyList(this.#keys(document))) {
      const total = this.#added(this.of(key), document, sign)
      assert(total.count >= 0, 'only what was added is taken away')
      if (total.count === 0) this.#byKey.delete(key)
      else this.#byKey.set(key, total)
    }
  }

  #added({ count, sums }: Total, document: D | undefined, sign: number): Total {
    const sum = ([name, number]: readonly [string, (document: D) => number]): [string, number] => [
      name,
      (sums[name] ?? 0) + (document === undefined ? 0 : sign * number(document)),
    ]
    return { count: count + sign, sums: Object.fromEntries(this.#numbers.map(sum)) }
  }
}
