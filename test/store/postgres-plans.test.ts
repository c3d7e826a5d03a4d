import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { clientConfig, settings } from '../../src/store/postgres/connection.ts'
import type { Statement } from '../../src/store/postgres/session.ts'
import { migrate } from '../../src/store/postgres/migrate.ts'
import { tables } from '../../src/store/postgres/tables.ts'
import { type Cluster, missingServer, openCluster } from './cluster.ts'

const cases = Object.values(tables).flatMap((table) => [
  ...[table.get(false), table.get(true), table.all(), table.remove()],
  ...[table.page(undefined, true), table.page(undefined, false)],
  ...table.shape.totals.map(({ index }) => table.total(index)),
  ...table.shape.keys.flatMap(({ index, isList }) => [
    ...[table.find(index), table.claim(index), table.count(index)],
    ...[table.page(index, true), table.page(index, false)],
    // Nobody asks an index with several keys what is due.
    ...(isList ? [] : [table.upTo(index), table.lowest(index)]),
  ]),
])

describe.skipIf(missingServer !== undefined)(
  `what PostgreSQL makes of each question ${missingServer ?? ''}`,
  () => {
    let cluster: Cluster
    let client: pg.Client
    beforeAll(async () => {
      cluster = await openCluster()
      const place = { url: cluster.url, schema: 'jackdaw' }
      await migrate(place, silentLog)
      client = new pg.Client(clientConfig(place))
      await client.connect()
      await client.query(settings(place))
    })
    afterAll(async () => {
      await client.end()
      await cluster.dispose()
    })

    test.each(cases.map((statement): [string, Statement] => [statement.name, statement]))(
      '%s is answered by an index',
      async (name, { text }) => {
        const count = new Set(text.match(/\$\d/g)).size
        await client.query(`PREPARE "${name}" AS ${text}`)
        const values = Array.from({ length: count }, () => "'1'").join(', ')
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(
          `EXPLAIN EXECUTE "${name}"${count === 0 ? '' : ` (${values})`}`,
        )
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n')

        expect(plan).toMatch(/Index (Only )?Scan/)
        expect(plan).not.toMatch(/Seq Scan/)
      },
    )
  },
)
