import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { collections } from '../../src/store/collections.ts'
import { postgres } from '../../src/store/postgres.ts'
import { currentTarget, migrate, type Target } from '../../src/store/postgres/migrate.ts'
import { migrations } from '../../src/store/postgres/migrations.ts'
import { Table } from '../../src/store/postgres/table.ts'
import { type Cluster, freshSchema, missingServer, openCluster } from './cluster.ts'
import { aLease, aMachine, aRow, second } from './documents.ts'

const latest = migrations.at(-1)?.version ?? 0

describe.skipIf(missingServer !== undefined)(`the schema in the database ${missingServer ?? ''}`, () => {
  let cluster: Cluster
  let schema: string
  beforeAll(async () => {
    cluster = await openCluster()
  })
  beforeEach(() => {
    schema = freshSchema()
  })
  afterAll(() => cluster.dispose())

  const place = () => ({ url: cluster.url, schema })
  const open = () => postgres({ ...place(), log: silentLog })
  const bringTo = (target: Partial<Target>) => migrate(place(), silentLog, { ...currentTarget, ...target })
  const versions = async () =>
    (await cluster.sql(`SELECT version FROM ${schema}.migrations ORDER BY version`)).map(
      ({ version }) => version,
    )
  /** The tables as they were when machines knew neither owners nor states. */
  const before = [
    new Table<{ id: string }>('machines', { order: ({ id }) => id, indexes: {}, unique: [] }),
    ...currentTarget.tables.filter(({ shape }) => shape.name !== 'machines'),
  ]
  const later = { version: latest + 1, name: 'a later one', sql: 'CREATE TABLE later (id int)' }

  test.each(Array.from({ length: latest }, (_, version) => [version]))(
    'a database of version %i is brought up to date when it is opened',
    async (version) => {
      await bringTo({ migrations: migrations.filter((step) => step.version <= version), tables: [] })

      const store = await open()
      await store.transact((tx) => tx.audit.append(aRow('A-1')))
      await store.close()

      expect(await versions()).toEqual(migrations.map((step) => step.version))
    },
  )

  test('what is there is found by an index that came later', async () => {
    await bringTo({ tables: before })
    const row = [aMachine({ id: 'web1' }), aMachine({ id: 'web\0', owner: 'bob', administrators: ['alice'] })]
    for (const machine of row) {
      const values = [...(before[0] instanceof Table ? before[0].row(machine) : [])]
      await cluster.sql(`INSERT INTO ${schema}.machines (id, ord, doc) VALUES ($1, $2, $3)`, values)
    }

    const store = await open()

    await store.read(async (tx) => {
      expect(await tx.machines.find('owner', 'bob')).toEqual([row[1]])
      expect(await tx.machines.find('administrator', 'alice')).toEqual([row[1]])
      expect(await tx.machines.count('state', 'running')).toBe(2)
      expect(await tx.machines.total('host', 'cernwod01')).toEqual({
        count: 2,
        sums: { cpus: 2, memoryGb: 2 },
      })
    })
    await store.close()
  })

  test('documents that are filed differently are filed anew, though the table looks the same', async () => {
    const byEnd = { ...collections.leases, indexes: { ...collections.leases.indexes, user: () => 'nobody' } }
    const leases = new Table('leases', byEnd, { lists: ['open-name'], states: ['offered', 'ended'] })
    const tables = currentTarget.tables.map((table) => (table.shape.name === 'leases' ? leases : table))
    const filing = currentTarget.filing - 1
    await bringTo({ tables, filing })
    const values = [...leases.row(aLease())]
    const marks = values.map((_, index) => `$${index + 1}`).join(', ')
    await cluster.sql(
      leases.put.text.replace('INTO leases', `INTO ${schema}.leases`).replace(/\$1, .*\)/, `${marks})`),
      values,
    )

    const store = await open()
    const found = await store.read((tx) => tx.leases.find('user', 'carol'))
    await store.close()

    expect(found).toEqual([aLease()])
  })

  test('of several processes that come at once, one does it', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, open))
    await Promise.all(stores.map((store) => store.close()))

    expect(await versions()).toEqual(migrations.map((step) => step.version))
  })

  test('a step that fails leaves everything as it was', async () => {
    await bringTo({})
    const broken = { version: latest + 2, name: 'broken', sql: 'CREATE TABLE t (id int); SELECT 1/0' }

    const attempt = bringTo({ migrations: [...migrations, later, broken] })

    await expect(attempt).rejects.toThrow('division by zero')
    expect(await versions()).toEqual(migrations.map((step) => step.version))
    expect(await cluster.sql(`SELECT to_regclass('${schema}.later') AS there`)).toEqual([{ there: null }])
  })

  test('a database of a newer release is left alone', async () => {
    await bringTo({ migrations: [...migrations, later] })

    await expect(open()).rejects.toMatchObject({ code: 'store_too_new', transient: false })
  })

  test('a database whose documents a newer release files is left alone', async () => {
    await bringTo({ filing: currentTarget.filing + 1 })

    await expect(open()).rejects.toMatchObject({ code: 'store_too_new' })
  })

  test('while processes of an older release run, nothing is changed under them', async () => {
    const old = await open()

    const attempt = bringTo({ migrations: [...migrations, later], patienceMillis: 100 })

    await expect(attempt).rejects.toMatchObject({ code: 'store_in_use' })
    await old.transact((tx) => tx.machines.put(aMachine()))
    await old.close()
  })

  test('a machine cannot be in a state that the table of states does not know, whoever writes it', async () => {
    await bringTo({})

    const writing = cluster.sql(
      `INSERT INTO ${schema}.machines (id, ord, doc, state) VALUES ('a', 'a', '{}', 'lost')`,
    )

    await expect(writing).rejects.toMatchObject({ code: '23514', constraint: 'machines_state' })
  })

  test('a desktop cannot have two open leases, whoever writes them', async () => {
    await bringTo({})
    const insert = (id: string) =>
      `INSERT INTO ${schema}.leases (id, ord, doc, by_open_desktop) VALUES ('${id}', '${id}', '{}', 'desk1')`
    await cluster.sql(insert('L-1'))

    await expect(cluster.sql(insert('L-2'))).rejects.toMatchObject({ code: '23505' })
  })

  test('a role that may not make schemas uses the one it was given', async () => {
    await cluster.sql(`CREATE ROLE ${schema} LOGIN; CREATE SCHEMA ${schema} AUTHORIZATION ${schema}`)
    const url = cluster.url.replace('postgres@', `${schema}@`)

    const store = await postgres({ url, schema, log: silentLog })
    await store.transact((tx) =>
      tx.sessions.put({ id: 's', user: 'a', createdAt: second(1), expiresAt: second(2) }),
    )

    expect(await store.read((tx) => tx.sessions.count('expiry', second(2)))).toBe(1)
    await store.close()
  })

  test('a database in another encoding is refused with the remedy', async () => {
    await cluster.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    const url = cluster.url.replace(/postgres$/, 'latin')

    const opening = postgres({ url, log: silentLog })

    await expect(opening).rejects.toMatchObject({ code: 'store_unfit' })
  })
})
