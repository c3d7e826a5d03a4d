import type { ClientBase } from 'pg'
import type { KeyColumn, TableShape, TotalShape } from './table.ts'
import { dropTriggers, totalsSql } from './totals.ts'

/**
 * Counts up whenever `collections.ts` files documents differently, so that a process of an older release is not started
 * on tables that it would fill wrongly.
 */
export const currentFiling = 5

/** A table with what is needed to fill it anew. */
export interface Fillable {
  readonly shape: TableShape
  /** The row of a document that is given as its text. */
  refile(text: string): unknown[]
  readonly put: { text: string }
}

/** How a table looks, as text: two that are the same need no work. */
export function fingerprint(shape: TableShape): string {
  return JSON.stringify(shape)
}

/**
 * Gives a table the columns and indexes of its collection, and fills them from the documents. They say nothing that the
 * documents do not, so they can be dropped and made again at any time.
 */
export async function reshape(client: ClientBase, table: Fillable): Promise<void> {
  const { name, keys, totals, states } = table.shape
  await client.query(`CREATE TABLE IF NOT EXISTS ${name} (
    id text COLLATE "C" PRIMARY KEY, ord text COLLATE "C" NOT NULL UNIQUE, doc json NOT NULL)`)
  await client.query(dropTriggers(name))
  for (const column of await derivedColumns(client, name)) {
    await client.query(`ALTER TABLE ${name} DROP COLUMN ${column}`)
  }
  const columns = [...keys.map(keyColumn), ...totals.flatMap(numberColumns), ...stateColumn(name, states)]
  for (const definition of columns) {
    await client.query(`ALTER TABLE ${name} ADD COLUMN ${definition}`)
  }
  await refill(client, table)
  for (const key of keys) await client.query(indexOf(name, key))
  await client.query(totalsSql(name, totals))
}

async function derivedColumns(client: ClientBase, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::text::regclass
      AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('id', 'ord', 'doc')`,
    [table],
  )
  return rows.map(({ name }) => name)
}

function keyColumn({ column, isList }: KeyColumn): string {
  return `${column} text${isList ? '[]' : ''} COLLATE "C"`
}

function numberColumns({ numbers }: TotalShape): string[] {
  return numbers.map(({ column }) => `${column} double precision`)
}

function stateColumn(table: string, states: readonly string[] | null): string[] {
  if (states === null) return []
  const known = states.map((state) => `'${state}'`).join(', ')
  return [`state text CONSTRAINT ${table}_state CHECK (state IN (${known}))`]
}

function indexOf(table: string, { column, isList, isUnique }: KeyColumn): string {
  const name = `${table}_${column}`
  // Looked at when a transaction ends: until then one document may hand its key on to another.
  if (isUnique)
    return `ALTER TABLE ${table} ADD CONSTRAINT ${name} UNIQUE (${column}) DEFERRABLE INITIALLY DEFERRED`
  if (isList) return `CREATE INDEX ${name} ON ${table} USING gin (${column}) WITH (fastupdate = off)`
  return `CREATE INDEX ${name} ON ${table} (${column}, ord) WHERE ${column} IS NOT NULL`
}

const batch = 500

async function refill(client: ClientBase, table: Fillable): Promise<void> {
  let after = ''
  for (;;) {
    const { rows } = await client.query<{ id: string; doc: string }>(
      `SELECT id, doc::text FROM ${table.shape.name} WHERE id > $1 ORDER BY id LIMIT ${batch}`,
      [after],
    )
    for (const { doc } of rows) await client.query(table.put.text, table.refile(doc))
    const last = rows.at(-1)
    if (last === undefined) return
    after = last.id
  }
}
