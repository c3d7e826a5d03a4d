import { afterAll, beforeAll, describe } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { postgres } from '../../src/store/postgres.ts'
import { type OpenedStore, storeContract } from '../contracts/store-contract.ts'
import { type Cluster, emptied, freshSchema, missingServer, openCluster } from './cluster.ts'

describe.skipIf(missingServer !== undefined)(`PostgreSQL ${missingServer ?? ''}`, () => {
  const schema = freshSchema()
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await openCluster()
  })
  afterAll(() => cluster.dispose())

  storeContract('PostgreSQL', async (): Promise<OpenedStore> => {
    const open = () => postgres({ url: cluster.url, schema, log: silentLog })
    let store = await open()
    return {
      store,
      reopen: async () => {
        await store.close()
        store = await open()
        return store
      },
      dispose: async () => {
        await store.close()
        await emptied(cluster, schema)
      },
    }
  })
})
