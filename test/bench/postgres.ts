import pg from 'pg'
import type { Desktop } from '../../broker/desktop.ts'
import { silentLog } from '../../src/base/log.ts'
import { postgres } from '../../src/store/postgres.ts'
import { clientConfig } from '../../src/store/postgres/connection.ts'
import type { Store } from '../../src/store/store.ts'
import { type Cluster, openCluster } from '../store/cluster.ts'
import { numbers, putAll, putDesktop, someLease } from './fixtures.ts'
import { perSecond, type Row } from './measure.ts'

const rounds = 5
const writers = [1, 8, 32]
const connections = 10
/** How many desktops are claimed by each client in a round. */
const each = 40

/** Names under which the two sides keep their desktops apart, in the same tables. */
const pools = { ours: 'ours', bare: 'bare' } as const

/** Lending a desktop through the store against the bare statement that leaves the same rows behind. */
export async function postgresRows(): Promise<Row[]> {
  const cluster = await openCluster()
  try {
    const store = await postgres({ url: cluster.url, log: silentLog, schema: 'jackdaw', connections })
    const place = { url: cluster.url, schema: 'jackdaw' }
    const pool = new pg.Pool({
      ...clientConfig(place),
      max: connections,
      options: '-c search_path=jackdaw -c enable_seqscan=off -c jit=off',
    })
    const rows = await measured(cluster, store, pool)
    await pool.end()
    await store.close()
    return rows
  } finally {
    await cluster.dispose()
  }
}

async function measured(cluster: Cluster, store: Store, pool: pg.Pool): Promise<Row[]> {
  const ratios = new Map(writers.map((count): [number, number[]] => [count, []]))
  for (let round = -1; round < rounds; round++) {
    for (const count of writers) {
      await fill(cluster, store, count * each)
      const bare = await perSecond(count * each, count, (n) => claimBare(pool, `B-${round}-${count}-${n}`))
      const ours = await perSecond(count * each, count, (n) => claim(store, `O-${round}-${count}-${n}`))
      // The first round is for warming up.
      if (round >= 0) ratios.get(count)?.push(ours / bare)
    }
  }
  return writers.map((count) => ({
    name: `postgres: lending with ${count} ${count === 1 ? 'client' : 'clients'}`,
    against: 'one CTE statement to the same tables, same driver',
    aim: '>= 0.6',
    ratios: ratios.get(count) ?? [],
  }))
}

/** As many spare desktops for each side as it will claim, and nothing else. */
async function fill(cluster: Cluster, store: Store, count: number): Promise<void> {
  await cluster.sql('DELETE FROM jackdaw.desktops; DELETE FROM jackdaw.leases; DELETE FROM jackdaw.changes')
  for (const pool of Object.values(pools)) {
    const offset = pool === pools.ours ? 0 : count
    await putAll(store, numbers(count), (tx, n) =>
      putDesktop(tx, n + offset, { pool, state: 'spare', lease: null }),
    )
  }
  await cluster.sql('VACUUM ANALYZE')
}

function lent(desktop: Desktop, lease: string): Desktop {
  return { ...desktop, state: 'leased', lease }
}

async function claim(store: Store, id: string): Promise<void> {
  await store.transact(async (tx) => {
    const desktop = await tx.desktops.claim('free', pools.ours)
    if (desktop === undefined) throw new Error('there was no spare desktop')
    await tx.desktops.put(lent(desktop, id))
    await tx.leases.put(
      someLease(1, { id, desktop: desktop.id, user: id, ticket: id, pool: pools.ours, attentionAt: null }),
    )
  })
}

/** Everything that our transaction writes, with the keys that its lease is found by. */
const bareText = `WITH free AS (
    SELECT id, doc FROM desktops WHERE by_free = $1 ORDER BY ord LIMIT 1 FOR UPDATE SKIP LOCKED),
  lent AS (
    UPDATE desktops SET state = 'leased', by_free = NULL,
        doc = replace(replace(free.doc::text, '"spare"', '"leased"'), '"lease":null', $2)::json
      FROM free WHERE desktops.id = free.id RETURNING desktops.id)
  INSERT INTO leases (id, ord, doc, state, by_open_desktop, by_open_user, by_open_pool, by_state, by_pool, by_user,
      by_ticket)
    SELECT $3, $3, replace($4, 'DESKTOP', lent.id)::json, 'offered', lent.id, $1 || '|' || $3, $1, 'offered', $1, $3, $3
    FROM lent RETURNING by_open_desktop`

async function claimBare(pool: pg.Pool, id: string): Promise<void> {
  const lease = someLease(1, {
    id,
    desktop: 'DESKTOP',
    user: id,
    ticket: id,
    pool: pools.bare,
    attentionAt: null,
  })
  const values = [pools.bare, `"lease":"${id}"`, id, JSON.stringify(lease)]
  const { rowCount } = await pool.query({ name: 'bare', text: bareText, values })
  if (rowCount !== 1) throw new Error('there was no spare desktop')
}
