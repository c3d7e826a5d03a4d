import pg, { type ClientBase } from 'pg'
import { Outage } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { clientConfig, type Place } from './connection.ts'
import { type Migration, migrations } from './migrations.ts'
import { currentFiling, type Fillable, fingerprint, reshape } from './shape.ts'
import { tables } from './tables.ts'

/** What the database should look like. Tests hand in what it looked like once. */
export interface Target {
  migrations: readonly Migration[]
  filing: number
  tables: readonly Fillable[]
  /** How long to wait for others to be out of the way. */
  patienceMillis: number
}

export const currentTarget: Target = {
  migrations,
  filing: currentFiling,
  tables: Object.values(tables),
  patienceMillis: 10_000,
}

/** Held by every process that uses the database, shared; and by the one that changes the schema, alone. */
export const presence = "hashtext('jackdaw'), hashtext(current_schema())"

/**
 * Brings the schema up to date, forward only, in one transaction. Of several processes that come at once, one does it.
 * @throws Outage `store_too_new` when a newer release has been here, `store_in_use` when processes of an older one still
 * run; errors of the database as they are.
 */
export async function migrate(place: Place, log: Log, target: Target = currentTarget): Promise<void> {
  const timeouts = { lock_timeout: target.patienceMillis, statement_timeout: 0, query_timeout: 0 }
  const config = { ...clientConfig(place), ...timeouts, pipeline: false }
  const client = new pg.Client(config)
  await client.connect()
  try {
    await checkServer(client)
    await client.query('SELECT set_config($1, $2, false)', ['search_path', place.schema])
    if (await isCurrent(client, target)) return
    await prepareSchema(client, place.schema)
    await client.query('BEGIN')
    await alone(client)
    if (!(await isCurrent(client, target))) await bringUp(client, target, log)
    await client.query('COMMIT')
  } finally {
    await client.end()
  }
}

/** @throws Outage `store_too_new`. */
export async function isCurrent(client: ClientBase, target: Target = currentTarget): Promise<boolean> {
  const { rows } = await client.query<{ there: string | null }>("SELECT to_regclass('migrations') AS there")
  if (typeof rows[0]?.there !== 'string') return false
  const [version, filing] = await Promise.all([versionOf(client), filingOf(client)])
  const latest = target.migrations.at(-1)?.version ?? 0
  if (version > latest || filing > target.filing) {
    throw new Outage(
      'store_too_new',
      'The database was brought up to date by a newer release. Start that release, or restore a backup from before.',
      { transient: false },
    )
  }
  if (version < latest || filing < target.filing) return false
  const known = await shapesOf(client)
  return target.tables.every(({ shape }) => known.get(shape.name) === fingerprint(shape))
}

const bookkeeping = `
  CREATE TABLE IF NOT EXISTS migrations (
    version int PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE IF NOT EXISTS shapes (name text PRIMARY KEY, fingerprint text NOT NULL);
  COMMENT ON TABLE shapes IS 'How each table of documents was made; one that should look different is made anew.'`

async function bringUp(client: ClientBase, target: Target, log: Log): Promise<void> {
  await client.query(bookkeeping)
  const from = await versionOf(client)
  for (const { version, name, sql } of target.migrations.filter((step) => step.version > from)) {
    await client.query(sql)
    await client.query('INSERT INTO migrations (version, name) VALUES ($1, $2)', [version, name])
    log.info({ version, name }, 'the database was brought up to a version')
  }
  // Where documents are filed differently, a table that looks the same has to be filled anew too.
  const known = (await filingOf(client)) < target.filing ? new Map<string, string>() : await shapesOf(client)
  for (const table of target.tables) await follow(client, table, known)
  await remember(client, 'filing', String(target.filing))
}

async function follow(
  client: ClientBase,
  table: Fillable,
  known: ReadonlyMap<string, string>,
): Promise<void> {
  const { shape } = table
  if (known.get(shape.name) === fingerprint(shape)) return
  await reshape(client, table)
  await remember(client, shape.name, fingerprint(shape))
}

function remember(client: ClientBase, name: string, value: string): Promise<unknown> {
  const sql =
    'INSERT INTO shapes VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint'
  return client.query(sql, [name, value])
}

async function versionOf(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ version: number | null }>(
    'SELECT max(version) AS version FROM migrations',
  )
  return rows[0]?.version ?? 0
}

async function filingOf(client: ClientBase): Promise<number> {
  return Number((await shapesOf(client)).get('filing') ?? 0)
}

async function shapesOf(client: ClientBase): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string; fingerprint: string }>(
    'SELECT name, fingerprint FROM shapes',
  )
  return new Map(rows.map(({ name, fingerprint: value }) => [name, value]))
}

async function checkServer(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ version: number; encoding: string }>(
    "SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding",
  )
  const { version = 0, encoding = '' } = rows[0] ?? {}
  if (version < 150_000) throw unfit('PostgreSQL 15 or later is needed: upgrade the server')
  if (encoding !== 'UTF8') throw unfit('the database is not in UTF8: make one with ENCODING UTF8')
}

function unfit(remedy: string): Outage {
  return new Outage('store_unfit', `The database cannot be used: ${remedy}.`, { transient: false })
}

/** A role that may not make schemas is given one by hand. */
async function prepareSchema(client: ClientBase, schema: string): Promise<void> {
  const { rows } = await client.query<{ there: string | null }>('SELECT to_regnamespace($1) AS there', [
    schema,
  ])
  if (typeof rows[0]?.there === 'string') return
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`).catch((error: unknown) => {
    // Two at once: the other one has made it.
    if (!(error instanceof pg.DatabaseError) || error.code !== '23505') throw error
  })
}

/** Until the transaction ends. */
async function alone(client: ClientBase): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(${presence})`).catch((error: unknown) => {
    if (!(error instanceof pg.DatabaseError) || error.code !== '55P03') throw error
    throw new Outage(
      'store_in_use',
      'The database has to be brought up to date, and processes of another release still use it. Stop those first.',
      { transient: false },
    )
  })
}
