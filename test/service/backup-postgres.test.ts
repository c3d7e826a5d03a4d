import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, missingServer, openCluster } from '../store/cluster.ts'
import { callAs } from '../torture/traffic.ts'
import { aSite, type TestSite } from './process.ts'

const unless = missingServer === undefined ? '' : ` (needs PostgreSQL: ${missingServer})`

/** Programs are started one after the other, many times. */
const slowly = { timeout: 300_000 }

/** The purposes of all requests that a site knows. */
async function purposes(site: TestSite): Promise<string> {
  return JSON.stringify((await callAs(site.url, 'olga', 'GET', '/requests')).body)
}

function order(site: TestSite, name: string) {
  const facts = { template: 'slc5', days: 60, budget: 'T-1042', purpose: `${name} test`, name }
  return callAs(site.url, 'alice', 'POST', '/requests', facts)
}

describe.skipIf(missingServer !== undefined)(`backup and restore with PostgreSQL${unless}`, () => {
  let cluster: Cluster
  let site: TestSite
  let file: string
  beforeAll(async () => {
    cluster = await openCluster()
    site = await aSite(on(cluster.url))
    file = join(site.folder, 'site.backup')
  })
  afterAll(async () => {
    await site.dispose()
    await cluster.dispose()
  })

  function on(url: string) {
    return (yaml: string) => yaml.replace(/store: \{.*\}/, `store: { kind: postgres, url: '${url}' }`)
  }

  test(
    'a running service is backed up, and the backup is a site again in an empty database or a folder',
    slowly,
    async () => {
      const running = await site.start()
      await order(site, 'early')
      const backup = await site.run('backup', file, '--config', site.config)
      await order(site, 'late')
      const onto = await site.run('restore', file, '--config', site.config)
      await running.stop('SIGTERM')
      const [database, folder] = [site, await aSite()]
      await cluster.sql('ALTER SCHEMA jackdaw RENAME TO jackdaw_before')

      const restored = await Promise.all(
        [database, folder].map((one) => one.run('restore', file, '--config', one.config)),
      )

      expect(backup).toMatchObject({ code: 0, err: '' })
      expect(onto).toMatchObject({ code: 3, out: '' })
      expect(onto.err).toContain('ALTER SCHEMA')
      expect(restored.map(({ code, err }) => [code, err])).toEqual([
        [0, ''],
        [0, ''],
      ])
      for (const one of [database, folder]) {
        const again = await one.start()
        const known = await purposes(one)
        expect(known).toContain('early test')
        expect(known).not.toContain('late test')
        await again.stop('SIGTERM')
      }
      await folder.dispose()
    },
  )

  test('a file that is cut short is not restored, and leaves the database empty', slowly, async () => {
    await cluster.sql('CREATE DATABASE third')
    const third = await aSite(on(cluster.url.replace(/[^/]*$/, 'third')))
    const whole = await readFile(file)
    await writeFile(file, whole.subarray(0, whole.length - 20))

    const restored = await third.run('restore', file, '--config', third.config)

    const rows = await cluster.sql('SELECT count(*)::int AS count FROM jackdaw.requests', [], 'third')
    expect(restored.code).toBe(3)
    expect(restored.err).toContain('is no whole backup')
    expect(rows).toEqual([{ count: 0 }])
    await third.dispose()
  })
})
