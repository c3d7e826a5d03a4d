import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { databaseUrl } from '../../src/store/postgres/address.ts'
import { changed, faultsOf } from './example.ts'

const url = 'postgres://jackdaw:secret@db.example.org/site'
const withStore = (store: string) => changed(['{ kind: lowdb, path: ./data }', store])

describe('a site with a database', () => {
  let folder: string
  let site: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jackdaw-config-'))
    site = join(folder, 'jackdaw.yaml')
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('its URL stands in the file of the site', async () => {
    await writeFile(site, withStore(`{ kind: postgres, url: "${url}", connections: 20 }`))

    const { store } = await loadConfig(site, {})

    expect(store).toEqual({ kind: 'postgres', url, connections: 20, path: join(folder, 'data') })
  })

  test('its URL stands in a file beside it, which is read when the store is opened', async () => {
    await writeFile(site, withStore('{ kind: postgres, urlFile: db-url }'))
    await writeFile(join(folder, 'db-url'), `${url}\n`)

    const { store } = await loadConfig(site, {})

    expect(store).toMatchObject({ urlFile: join(folder, 'db-url') })
    expect(store.kind === 'postgres' && (await databaseUrl(store, {}))).toBe(url)
  })

  test('its URL stands in the environment', async () => {
    await writeFile(site, withStore('{ kind: postgres }'))

    const { store } = await loadConfig(site, { JACKDAW_DATABASE_URL: url })

    expect(store.kind === 'postgres' && (await databaseUrl(store, { JACKDAW_DATABASE_URL: url }))).toBe(url)
  })

  test('without a URL anywhere the file is at fault, and the line is named', async () => {
    await writeFile(site, withStore('{ kind: postgres }'))

    const loading = loadConfig(site, {})

    await expect(loading).rejects.toThrow(
      `${site}:14: store.url: is missing, should be there, or store.urlFile, or JACKDAW_DATABASE_URL in the environment`,
    )
  })

  test('a URL that is none is not repeated, since a password may stand in it', () => {
    const faults = faultsOf(withStore('{ kind: postgres, url: "mysql://root:secret@db" }'))

    expect(faults).toEqual([
      '14: store.url: is not the URL of a database, should be a URL such as postgres://user@host:5432/database',
    ])
  })

  test('a file without a URL stops the start, and its content is not repeated', async () => {
    const urlFile = join(folder, 'empty')
    await writeFile(urlFile, 'secret')

    const failure: unknown = await databaseUrl({ urlFile }, {}).catch((error: unknown) => error)

    expect(failure).toMatchObject({ code: 'store_unfit' })
    expect(String(failure)).not.toContain('secret')
  })
})
