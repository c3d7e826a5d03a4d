import pg, { type ClientConfig, type Pool, type PoolClient } from 'pg'
import type { Log } from '../../base/log.ts'
import { DatabaseFault } from './faults.ts'
import { Session } from './session.ts'

/** Where the database is, and which schema of it is ours. */
export interface Place {
  url: string
  schema: string
}

const seconds = 1000

/**
 * Bounds on everything that could hang. A transaction waits for nothing outside, so one that is idle for seconds belongs
 * to a process that has stopped, and what it has locked is needed.
 */
export function clientConfig({ url }: Place): ClientConfig {
  return {
    connectionString: url,
    application_name: 'jackdaw',
    connectionTimeoutMillis: 5 * seconds,
    lock_timeout: 10 * seconds,
    idle_in_transaction_session_timeout: 5 * seconds,
    statement_timeout: 30 * seconds,
    query_timeout: 40 * seconds,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10 * seconds,
    pipeline: true,
  }
}

/**
 * What each connection is told first. Every statement has its index, and is planned once, for all values: plans that
 * follow the statistics would only make a slow one out of it now and then. What is committed is on the disk, whatever
 * the server's own default says. Deadlocks are looked for soon, where we may say so.
 */
export function settings({ schema }: Place): string {
  return `SET search_path TO ${schema};
    SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan;
    SET synchronous_commit = on;
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
    SELECT set_config('deadlock_timeout', '100ms', false) WHERE has_parameter_privilege('deadlock_timeout', 'SET')`
}

/** A bounded number of connections, each told the settings before its first transaction. */
export class Connections {
  readonly #pool: Pool
  readonly #settings: string
  readonly #told = new WeakSet<PoolClient>()

  constructor(place: Place, { max, log }: { max: number; log: Log }) {
    this.#settings = settings(place)
    this.#pool = new pg.Pool({ ...clientConfig(place), max, idleTimeoutMillis: 30 * seconds })
    this.#pool.on('error', (error) => {
      log.warn({ error: error.message }, 'an idle connection to the database was lost')
    })
  }

  /** @throws DatabaseFault when there is no way to the database, or no connection becomes free in time. */
  async session(): Promise<Session> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw new DatabaseFault(error)
    })
    const session = new Session(client)
    if (!this.#told.has(client)) {
      this.#told.add(client)
      // A fault of it is the fault of whatever comes next.
      session.command(this.#settings).catch(() => undefined)
    }
    return session
  }

  /** Waits for those that are in use. */
  end(): Promise<void> {
    return this.#pool.end()
  }
}
