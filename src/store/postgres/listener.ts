import pg, { type Client } from 'pg'
import { z } from 'zod'
import { Outage } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Change, CollectionName } from '../store.ts'
import { clientConfig, type Place, settings } from './connection.ts'
import { DatabaseFault } from './faults.ts'
import { isCurrent, presence } from './migrate.ts'
import { tables } from './tables.ts'

export interface ListenerOptions {
  place: Place
  /** Who we are among the processes. */
  sender: string
  log: Log
  /** What another process committed. */
  hear(changes: readonly Change[]): void
  /** Whether the database answers, and why it may not be used. */
  found(state: { fault?: Error }): void
}

/** How often is looked even when nobody calls, how soon the connection is made anew, and how often old rows go. */
const rhythm = { beatMillis: 1000, againMillis: 200, sweepBeats: 60, keepSweeps: 10 }

const Changes = z.array(z.tuple([z.number(), z.array(z.tuple([z.string(), z.string()]))]))

/**
 * The ear for what other processes commit. Each commit leaves a row in `changes`, so nothing is missed when a process
 * dies right after it, or while this connection is gone; NOTIFY only says that it is time to look. It is not sent in
 * the committing transactions: PostgreSQL lets those that notify commit only one after the other.
 */
export class Listener {
  readonly #options: ListenerOptions
  #client: Client | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  /** Transactions from this one on may have committed since the last look, and the rows from there on heard already. */
  #from: string | undefined
  #heard = new Set<number>()
  #looking: Promise<void> | undefined
  #mustLook = false
  #calling: Promise<void> | undefined
  #mustCall = false
  #beats = 0
  /** Where `#from` was at each of the last sweeps. */
  #marks: string[] = []

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  /** @throws DatabaseFault, or Outage when the database is not as this release needs it. */
  async open(): Promise<void> {
    await this.#connect()
    this.#beatIn(rhythm.beatMillis)
  }

  /** Tells the other processes that there is something to hear. Many calls at once are one. */
  call(): void {
    this.#mustCall = true
    this.#calling ??= this.#callAll().finally(() => {
      this.#calling = undefined
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#looking?.catch(() => undefined)
    await this.#calling
    await this.#client?.end().catch(() => undefined)
  }

  async #callAll(): Promise<void> {
    const { place, sender } = this.#options
    while (this.#mustCall && this.#client !== undefined) {
      this.#mustCall = false
      // When this fails the connection is gone, and they look by themselves within a second.
      await this.#client.query('SELECT pg_notify($1, $2)', [place.schema, sender]).catch(() => undefined)
    }
  }

  async #connect(): Promise<void> {
    const { place, sender } = this.#options
    const client = new pg.Client(clientConfig(place))
    client.on('error', () => this.#lost(client))
    client.on('end', () => this.#lost(client))
    client.on('notification', ({ payload }) => {
      if (payload !== sender) this.#look(client).catch(() => this.#lost(client))
    })
    try {
      await client.connect()
      await client.query(settings(place))
      await enter(client)
      await client.query(`LISTEN ${place.schema}`)
      this.#client = client
      await this.#look(client)
    } catch (error) {
      this.#client = undefined
      await client.end().catch(() => undefined)
      throw error instanceof Outage ? error : new DatabaseFault(error)
    }
  }

  #lost(client: Client): void {
    if (this.#client !== client || this.#isClosed) return
    this.#client = undefined
    client.end().catch(() => undefined)
    this.#options.log.warn('the connection that hears of other processes was lost')
    this.#beatIn(rhythm.againMillis)
  }

  #beatIn(millis: number): void {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    this.#timer = setTimeout(() => void this.#beat(), millis).unref()
  }

  async #beat(): Promise<void> {
    try {
      if (this.#client === undefined) await this.#connect()
      else await this.#look(this.#client)
      await this.#sweep()
      this.#options.found({})
    } catch (error) {
      this.#options.found({ fault: error instanceof Error ? error : new Error(String(error)) })
      if (this.#client !== undefined) this.#lost(this.#client)
    }
    this.#beatIn(rhythm.beatMillis)
  }

  /** One look at a time; a call that comes during one is followed by another. */
  #look(client: Client): Promise<void> {
    this.#mustLook = true
    this.#looking ??= this.#lookAll(client).finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookAll(client: Client): Promise<void> {
    while (this.#mustLook) {
      this.#mustLook = false
      await this.#lookOnce(client)
    }
  }

  async #lookOnce(client: Client): Promise<void> {
    const from = this.#from
    const { rows } = await client.query<{ next: string; list: unknown }>(look, [
      from ?? '18446744073709551615',
      this.#options.sender,
    ])
    const [row] = rows
    if (row === undefined) return
    const found = Changes.parse(row.list)
    this.#from = row.next
    const before = this.#heard
    this.#heard = new Set(found.map(([id]) => id))
    for (const [id, list] of found) if (!before.has(id)) this.#options.hear(changesOf(list))
  }

  /** Removes what everybody had ten minutes to hear. */
  async #sweep(): Promise<void> {
    if (this.#beats++ % rhythm.sweepBeats !== 0 || this.#from === undefined) return
    this.#marks.push(this.#from)
    const old = this.#marks.length > rhythm.keepSweeps ? this.#marks.shift() : undefined
    if (old !== undefined) await this.#client?.query('DELETE FROM changes WHERE tx < $1::text::xid8', [old])
  }
}

/** What committed from a transaction on, by others; and from which transaction on to look the next time. */
const look = `SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS next,
  (SELECT coalesce(json_agg(json_build_array(id, list) ORDER BY id), '[]') FROM changes
    WHERE tx >= $1::text::xid8 AND sender <> $2) AS list`

/** Says that this process uses the database as this release knows it, for as long as the connection lasts. */
async function enter(client: Client): Promise<void> {
  const patience = Date.now() + 15_000
  for (;;) {
    const { rows } = await client.query<{ here: boolean }>(
      `SELECT pg_try_advisory_lock_shared(${presence}) AS here`,
    )
    if (rows[0]?.here === true) break
    if (Date.now() > patience) throw notReady('Another process is bringing the database up to date.')
    await client.query('SELECT pg_sleep(0.2)')
  }
  if (!(await isCurrent(client))) throw notReady('The database is no longer as this release left it.')
}

function notReady(detail: string): Outage {
  return new Outage('store_unwritable', `${detail} Start this process again afterwards.`, { transient: true })
}

function changesOf(list: readonly (readonly [string, string])[]): Change[] {
  return list.flatMap(([collection, id]) => (isCollection(collection) ? [{ collection, id }] : []))
}

function isCollection(name: string): name is CollectionName {
  return Object.hasOwn(tables, name)
}
