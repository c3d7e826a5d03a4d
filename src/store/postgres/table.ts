import { assert } from '../../base/errors.ts'
import { type Keys, keyList, type Numbers } from '../collections.ts'
import { frozen } from '../frozen.ts'
import type { Statement, Value } from './session.ts'
import { toColumn } from './text.ts'
import { totalsTable } from './totals.ts'

export interface TableRule<D> {
  order(document: D): string
  readonly indexes: Readonly<Record<string, (document: D) => Keys>>
  readonly unique: readonly string[]
  readonly totals?: Readonly<Partial<Record<string, Numbers<D>>>>
}

/** The column of an index: the key of the document, or, where a document may have several, the list of them. */
export interface KeyColumn {
  index: string
  column: string
  isList: boolean
  isUnique: boolean
}

/** An index whose documents are counted and summed up for each key, and the columns of the numbers. */
export interface TotalShape {
  index: string
  column: string
  numbers: readonly { name: string; column: string }[]
}

/** What a table is made of beside `id`, `ord` and `doc`. */
export interface TableShape {
  name: string
  keys: readonly KeyColumn[]
  totals: readonly TotalShape[]
  /** The states that its documents may be in, where they have one. */
  states: readonly string[] | null
}

export interface TableOptions {
  /** The indexes that give a document several keys. */
  lists?: readonly string[]
  states?: readonly string[]
}

type Document = { id: string; state?: string }

/** One collection as a table: its columns, its statements, and documents to rows and back. */
export class Table<D extends Document> {
  readonly shape: TableShape
  readonly put: Statement
  readonly #rule: TableRule<D>
  readonly #columns: ReadonlyMap<string, KeyColumn>
  readonly #numbers: readonly ((document: D) => number)[]

  constructor(name: string, rule: TableRule<D>, { lists = [], states }: TableOptions = {}) {
    const keys = Object.keys(rule.indexes).map((index) => ({
      index,
      column: columnOf('by', index),
      isList: lists.includes(index),
      isUnique: rule.unique.includes(index),
    }))
    this.#rule = rule
    this.#columns = new Map(keys.map((key) => [key.index, key]))
    this.#numbers = Object.values(rule.totals ?? {}).flatMap((numbers) => Object.values(numbers ?? {}))
    this.shape = { name, keys, totals: totalShapes(rule), states: states ?? null }
    this.put = { name: `${name} put`, text: putText(name, columnsOf(this.shape)) }
  }

  get name(): string {
    return this.shape.name
  }

  /** The row of a document, in the order of `columnsOf`. */
  row(document: D): Value[] {
    const keys = this.shape.keys.map(({ index, isList }) => {
      const list = keyList(this.#rule.indexes[index]?.(document) ?? null).map(toColumn)
      assert(isList || list.length < 2, `${this.name} ${index} is declared as a list of keys`)
      return isList ? list : (list[0] ?? null)
    })
    const { id, state = null } = document
    const fixed = [toColumn(id), toColumn(this.order(document)), JSON.stringify(document)]
    return [
      ...fixed,
      ...(this.shape.states === null ? [] : [state]),
      ...keys,
      ...this.#numbers.map((of) => of(document)),
    ]
  }

  /** The row of a document that was written before. */
  refile(text: string): Value[] {
    return this.row(this.document(text))
  }

  order(document: D): string {
    return this.#rule.order(document)
  }

  /** A document as it was written: JSON text keeps what `jsonb` would refuse or reorder. */
  document(text: string | null | undefined): D {
    const value: unknown = JSON.parse(text ?? 'null')
    assert(isDocument<D>(value), `what was written to ${this.name} is a document`)
    return frozen(value, this.name)
  }

  get(isLocking: boolean): Statement {
    const text = `SELECT doc FROM ${this.name} WHERE id = $1`
    return isLocking ? this.#statement('lock', `${text} FOR UPDATE`) : this.#statement('get', text)
  }

  remove(): Statement {
    return this.#statement('remove', `DELETE FROM ${this.name} WHERE id = $1`)
  }

  all(): Statement {
    return this.#statement('all', `SELECT doc FROM ${this.name} ORDER BY ord`)
  }

  find(index: string): Statement {
    return this.#statement(`find ${index}`, `${this.#having(index)} ORDER BY ord`)
  }

  claim(index: string): Statement {
    const text = `${this.#having(index)} ORDER BY ord LIMIT 1 FOR UPDATE SKIP LOCKED`
    return this.#statement(`claim ${index}`, text)
  }

  count(index: string): Statement {
    return this.#statement(`count ${index}`, this.#having(index, 'count(*)'))
  }

  /** The count, and the numbers in the order of `shape.totals`. */
  total(index: string): Statement {
    const { numbers } = this.totalShape(index)
    const columns = ['count', ...numbers.map(({ column }) => column)]
    const text = `SELECT ${columns.join(', ')} FROM ${totalsTable(this.name, index)} WHERE key = $1`
    return this.#statement(`total ${index}`, text)
  }

  totalShape(index: string): TotalShape {
    const shape = this.shape.totals.find((total) => total.index === index)
    assert(shape !== undefined, `${this.name} keeps totals of ${index}`)
    return shape
  }

  upTo(index: string): Statement {
    const { key, from } = this.#places(index)
    const text = `SELECT doc FROM ${from} WHERE ${key} <= $1 ORDER BY ${key}, ord LIMIT $2`
    return this.#statement(`upTo ${index}`, text)
  }

  lowest(index: string): Statement {
    const { key, from } = this.#places(index)
    const text = `SELECT ${key} FROM ${from} WHERE ${key} IS NOT NULL ORDER BY ${key} LIMIT 1`
    return this.#statement(`lowest ${index}`, text)
  }

  /** From `$1` on, not included, at most `$2`; with an index, those that have the key `$3`. */
  page(index: string | undefined, newestFirst: boolean): Statement {
    const [is, direction] = newestFirst ? ['<', 'DESC'] : ['>', 'ASC']
    const having = index === undefined ? '' : `AND ${this.#has(index, '$3')}`
    const text = `SELECT doc FROM ${this.name} WHERE ord ${is} $1 ${having} ORDER BY ord ${direction} LIMIT $2`
    return this.#statement(`page ${index ?? ''} ${direction}`, text)
  }

  #statement(what: string, text: string): Statement {
    return { name: `${this.name} ${what}`, text }
  }

  #having(index: string, what = 'doc'): string {
    return `SELECT ${what} FROM ${this.name} WHERE ${this.#has(index, '$1')}`
  }

  #has(index: string, key: string): string {
    const { column, isList } = this.#column(index)
    return isList ? `${column} @> ARRAY[${key}]::text[]` : `${column} = ${key}`
  }

  #places(index: string): { key: string; from: string } {
    const { column, isList } = this.#column(index)
    if (!isList) return { key: column, from: this.name }
    return { key: 'key', from: `${this.name} CROSS JOIN unnest(${column}) AS key` }
  }

  #column(index: string): KeyColumn {
    const column = this.#columns.get(index)
    assert(column !== undefined, `${this.name} has an index ${index}`)
    return column
  }
}

/** The columns of a table, in the order in which `row` gives their values. */
export function columnsOf({ keys, totals, states }: TableShape): string[] {
  const fixed = ['id', 'ord', 'doc', ...(states === null ? [] : ['state'])]
  const numbers = totals.flatMap((total) => total.numbers.map(({ column }) => column))
  return [...fixed, ...keys.map(({ column }) => column), ...numbers]
}

function totalShapes<D>({ totals = {} }: TableRule<D>): TotalShape[] {
  return Object.entries(totals).map(([index, numbers = {}]) => ({
    index,
    column: columnOf('by', index),
    numbers: Object.keys(numbers).map((name) => ({ name, column: columnOf('sum', `${index}-${name}`) })),
  }))
}

/** A name of ours as a column may be called without quotes. */
function columnOf(prefix: string, name: string): string {
  return `${prefix}_${name.replaceAll('-', '_').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`
}

function putText(name: string, columns: readonly string[]): string {
  const values = columns.map((_, at) => `$${at + 1}`).join(', ')
  const changed = columns.slice(1).map((column) => `${column} = excluded.${column}`)
  return `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${values})
    ON CONFLICT (id) DO UPDATE SET ${changed.join(', ')}`
}

function isDocument<D extends Document>(value: unknown): value is D {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'
}
