import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { postgres } from '../../src/store/postgres.ts'
import type { Change, Store } from '../../src/store/store.ts'
import { type Cluster, freshSchema, missingServer, openCluster } from './cluster.ts'
import { count } from './opened.ts'

describe.skipIf(missingServer !== undefined)(
  `processes that hear of each other ${missingServer ?? ''}`,
  () => {
    let schema: string
    let cluster: Cluster
    let here: Store
    let there: Store
    beforeEach(async () => {
      schema = freshSchema()
      cluster = await openCluster()
      const open = () => postgres({ url: cluster.url, schema, log: silentLog })
      here = await open()
      there = await open()
    })
    afterEach(async () => {
      await Promise.all([here, there].map((store) => store.close()))
      await cluster.dispose()
    })

    const listen = (store: Store) => {
      const heard: (readonly Change[])[] = []
      store.onCommit((changes) => heard.push(changes))
      const ids = () => heard.flatMap((changes) => changes.map(({ id }) => id))
      return { heard, ids }
    }
    const cutListeners = () =>
      cluster.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity a WHERE application_name = 'jackdaw'
        AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory')`,
      )

    test('a commit in one process is heard in the other within a second, each once and in order', async () => {
      const [own, other] = [listen(here), listen(there)]

      for (const id of ['a', 'b', 'c']) await count(here, id)

      expect(own.ids()).toEqual(['a', 'b', 'c'])
      await vi.waitFor(() => expect(other.ids()).toEqual(['a', 'b', 'c']), { timeout: 1000 })
    })

    test('a commit of thousands of documents is heard whole', async () => {
      const other = listen(there)

      await here.transact(async (tx) => {
        for (let n = 0; n < 3000; n++) await tx.counters.put({ id: `counter-${n}`, value: n })
      })

      await vi.waitFor(() => expect(other.heard.map((changes) => changes.length)).toEqual([3000]), {
        timeout: 3000,
      })
    })

    test('what was committed while nobody could listen is heard once the connection is back', async () => {
      const other = listen(there)
      await count(here, 'before')
      await vi.waitFor(() => expect(other.ids()).toEqual(['before']))

      await cutListeners()
      await count(here, 'meanwhile')

      await vi.waitFor(() => expect(other.ids()).toEqual(['before', 'meanwhile']), { timeout: 5000 })
    })

    test('the last commit of a process that died before it could call is heard all the same', async () => {
      const other = listen(there)

      await cluster.sql(
        `INSERT INTO ${schema}.changes (sender, list) VALUES ('the dead', '[["leases","L-1"]]'), ('the dead', '[["counters","\\u0000"]]')`,
      )

      await vi.waitFor(
        () =>
          expect(other.heard).toEqual([
            [{ collection: 'leases', id: 'L-1' }],
            [{ collection: 'counters', id: '\0' }],
          ]),
        { timeout: 3000 },
      )
    })
  },
)
