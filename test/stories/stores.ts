import { afterAll, beforeAll, describe } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { postgres } from '../../src/store/postgres.ts'
import { type Cluster, freshSchema, missingServer, openCluster } from '../store/cluster.ts'
import { openStorySite, type StoryOptions, type StorySite } from './site.ts'

/** Opens a site on a fresh store. */
export type OpenSite = (options?: StoryOptions) => Promise<StorySite>

/** Tells stories on the embedded store, and the same on PostgreSQL. */
export function onEachStore(tell: (open: OpenSite) => void): void {
  describe('on the embedded store', () => tell(openStorySite))

  const unless = missingServer === undefined ? '' : ` (needs PostgreSQL: ${missingServer})`
  describe.skipIf(missingServer !== undefined)(`on PostgreSQL${unless}`, () => {
    let cluster: Cluster
    beforeAll(async () => {
      cluster = await openCluster()
    })
    afterAll(() => cluster.dispose())

    tell(async (options = {}) => {
      const place = { url: cluster.url, schema: freshSchema() }
      return openStorySite({ ...options, store: await postgres({ ...place, log: silentLog }) })
    })
  })
}
