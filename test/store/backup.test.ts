import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { readBackup, writeBackup } from '../../src/store/backup.ts'
import type { Formats } from '../../src/store/formats.ts'
import { lowdb } from '../../src/store/lowdb.ts'
import { diskFiles, type Files } from '../../src/store/lowdb/files.ts'
import { postgres } from '../../src/store/postgres.ts'
import { restoreFolder, restoreInto } from '../../src/store/restore.ts'
import { takeSnapshot } from '../../src/store/snapshot.ts'
import type { Part, Store } from '../../src/store/store.ts'
import { memoryFiles } from '../fakes/memory-files.ts'
import { type Cluster, missingServer, openCluster } from './cluster.ts'
import { aLease, aMachine, aMessage, aRequest, aRow, second } from './documents.ts'
import { count, openOn, valueOf } from './opened.ts'

const facts = { site: 'Lab', at: second(0) }
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jackdaw-backup-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A store with something of most kinds: rows in month files and rows that are not, more than goes into a batch. */
async function aSiteOn(disk = memoryFiles()): Promise<Store> {
  const first = await openOn(disk)
  await first.transact(async (tx) => {
    await tx.machines.put(aMachine())
    await tx.requests.put(aRequest(1))
    await tx.leases.put(aLease())
    for (let n = 0; n < 1100; n++)
      await tx.messages.put(aMessage(`m-${n}`, { body: { text: `\u2028 ${n}` } }))
    for (let n = 0; n < 600; n++) await tx.audit.append(aRow(`A-${n}`, second(n, n % 2 === 0 ? '10' : '11')))
  })
  await first.close()
  const store = await openOn(disk)
  await store.transact((tx) => tx.audit.append(aRow('A-600', second(600))))
  return store
}

async function backupOf(store: Store, formats?: Formats): Promise<string> {
  const [file, to] = [join(folder, 'site.backup'), new PassThrough()]
  const [bytes] = await Promise.all([buffer(to), writeBackup(store, facts, to, formats)])
  await writeFile(file, bytes)
  return file
}

/** Everything in a store, in an order of its own. */
async function contentsOf(store: Store): Promise<string[]> {
  const lines: string[] = []
  await takeSnapshot(store, async ({ name, items }: Part) => {
    for (const item of items) lines.push(JSON.stringify([name, item]))
  })
  return lines.sort()
}

const restored = (path: string) => ({ path, force: false, clock: systemClock, log: silentLog })
const opened = (path: string) => lowdb({ path, log: silentLog })

describe('a backup', () => {
  test('holds everything, says of itself what it is, and comes back the same', async () => {
    const store = await aSiteOn()

    const file = await backupOf(store)
    const path = join(folder, 'data')
    const answer = await restoreFolder(file, restored(path))

    expect(answer).toEqual({ ...facts, counts: { documents: 1103, audit: 601, charges: 0 }, aside: null })
    const again = await opened(path)
    expect(await contentsOf(again)).toEqual(await contentsOf(store))
    await again.close()
    expect((await readdir(path)).filter((name) => name.startsWith('re'))).toEqual([])
  })

  test('shows one moment, and nobody waits for it however slowly it is taken', async () => {
    const store = await openOn(memoryFiles())
    const body = { text: 'x'.repeat(1000) }
    await store.transact(async (tx) => {
      for (let n = 0; n < 2000; n++) await tx.messages.put(aMessage(`m-${n}`, { body }))
    })
    const to = new PassThrough({ highWaterMark: 1 })
    const writing = writeBackup(store, facts, to)
    const reached = new Promise((resolve) => to.once('readable', resolve))
    await reached

    for (let n = 0; n < 20; n++) await count(store, 'meanwhile')
    await store.transact((tx) => tx.messages.remove('m-1999'))
    const [bytes] = await Promise.all([buffer(to), writing])
    const file = join(folder, 'slow.backup')
    await writeFile(file, bytes)

    expect(await readBackup(file)).toMatchObject({ counts: { documents: 2000 } })
  })

  test('holds nothing that was refused because the disk failed', async () => {
    const disk = memoryFiles()
    const store = await openOn(disk)
    await count(store)
    disk.before = ({ kind }) => {
      if (kind === 'sync') throw new Error('EIO')
    }
    const refused = expect(count(store, 'never')).rejects.toMatchObject({ code: 'store_unwritable' })

    const file = await backupOf(store)

    await refused
    expect(await readBackup(file)).toMatchObject({ counts: { documents: 1 } })
  })

  test('that cannot be written anywhere ends with what went wrong', async () => {
    const store = await aSiteOn()
    const to = new PassThrough()
    to.destroy(new Error('ENOSPC'))

    await expect(writeBackup(store, facts, to)).rejects.toThrow('ENOSPC')
  })
})

describe('a backup that is not whole is refused before anything is done with it', () => {
  const lines = (bytes: Buffer) => gunzipSync(bytes).toString('utf8').split('\n')
  const packed = (text: readonly string[]) => gzipSync(text.join('\n'))

  test.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
    ['cut off', (bytes) => bytes.subarray(0, bytes.length - 100), /unexpected end/],
    ['without its end', (bytes) => packed([...lines(bytes).slice(0, -2), '']), /its end is missing/],
    [
      'with a document less',
      (bytes) => packed(lines(bytes).filter((_, n) => n !== 5)),
      /its checksum does not fit/,
    ],
    [
      'with a changed document',
      (bytes) => packed(lines(bytes).map((line, n) => (n === 1 ? line.replace('web1', 'web2') : line))),
      /its checksum does not fit/,
    ],
    [
      'with something behind its end',
      (bytes) => packed([...lines(bytes), '{}', '']),
      /something follows its end/,
    ],
    ['not compressed', (bytes) => gunzipSync(bytes), /incorrect header/],
    ['empty', () => Buffer.alloc(0), /unexpected end/],
  ])('one %s', async (_, spoil, why) => {
    const file = await backupOf(await aSiteOn())
    await writeFile(file, spoil(await readFile(file)))

    const attempt = restoreFolder(file, restored(join(folder, 'data')))

    await expect(attempt).rejects.toMatchObject({ code: 'backup_damaged' })
    await expect(attempt).rejects.toThrow(why)
    await expect(stat(join(folder, 'data'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('formats', () => {
  const Counter = z.object({ id: z.string(), value: z.number() })
  const later: Formats = {
    current: 2,
    upgrades: {
      1: (kind, value) =>
        kind === 'counters' ? { ...Counter.parse(value), value: Counter.parse(value).value * 100 } : value,
    },
  }

  test('a backup of an older format comes up to the one of today', async () => {
    const store = await openOn(memoryFiles())
    await count(store)
    const file = await backupOf(store)
    const found: Part[] = []

    await readBackup(file, async (part) => void found.push(part), later)

    expect(found).toEqual([{ name: 'counters', items: [{ id: 'a', value: 100 }] }])
  })

  test('a backup of a newer release is refused', async () => {
    const file = await backupOf(await openOn(memoryFiles(), { formats: later }), later)

    await expect(readBackup(file)).rejects.toMatchObject({ code: 'store_too_new' })
  })
})

describe('restoring into a folder', () => {
  let file: string
  let path: string
  beforeEach(async () => {
    file = await backupOf(await aSiteOn())
    path = join(folder, 'data')
    const old = await opened(path)
    await count(old, 'old')
    await old.transact((tx) => tx.audit.append(aRow('A-old', second(1))))
    await old.close()
    await writeFile(join(path, 'farm.jsonl.other'), 'not ours')
  })

  test('that a process has is refused', async () => {
    const store = await opened(path)

    const attempt = restoreFolder(file, { ...restored(path), force: true })

    await expect(attempt).rejects.toMatchObject({ code: 'store_in_use' })
    expect(await valueOf(store, 'old')).toBe(1)
    await store.close()
  })

  test('that holds a site is refused without force, and nothing changes', async () => {
    await expect(restoreFolder(file, restored(path))).rejects.toMatchObject({ code: 'store_not_empty' })

    const store = await opened(path)
    expect(await valueOf(store, 'old')).toBe(1)
    await store.close()
  })

  test('with force moves the old site aside, whole, and leaves what is not the store’s', async () => {
    const { aside } = await restoreFolder(file, { ...restored(path), force: true })

    const [store, before] = [await opened(path), await opened(aside ?? '')]
    expect(await valueOf(store, 'old')).toBeUndefined()
    expect(await store.read((tx) => tx.machines.get('web1'))).toEqual(aMachine())
    expect(await valueOf(before, 'old')).toBe(1)
    expect((await before.read((tx) => tx.audit.page({ limit: 9 }))).items).toHaveLength(1)
    await Promise.all([store.close(), before.close()])
    expect(await readFile(join(path, 'farm.jsonl.other'), 'utf8')).toBe('not ours')
  })

  test('a crash at any operation leaves the old site, the new one, or one that asks to be restored', async () => {
    const seen = new Set<string>()
    for (let crashAt = 0; ; crashAt++) {
      const tried = join(folder, `crash-${crashAt}`)
      const old = await opened(tried)
      await count(old, 'old')
      await old.close()
      const left = { operations: crashAt }
      const files = failingAfter(diskFiles(tried), left)
      const done = await restoreFolder(file, { ...restored(tried), force: true, files }).then(
        () => true,
        () => false,
      )

      const state = await stateOf(tried)
      seen.add(state)
      if (state === 'store_damaged') {
        await restoreFolder(file, { ...restored(tried), force: true })
        expect(await stateOf(tried)).toBe('new')
      }
      if (done) break
    }

    expect([...seen].sort()).toEqual(['new', 'old', 'store_damaged'])
  })
})

describe.skipIf(missingServer !== undefined)(`a backup and PostgreSQL ${missingServer ?? ''}`, () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await openCluster()
  })
  afterAll(() => cluster.dispose())

  test('an embedded site is restored into a database, and its backup into a folder again', async () => {
    const embedded = await aSiteOn()
    const first = await backupOf(embedded)
    const database = await postgres({ url: cluster.url, log: silentLog })

    await restoreInto(database, first)
    const twice = restoreInto(database, first)
    await expect(twice).rejects.toMatchObject({ code: 'store_not_empty' })
    const back = await backupOf(database)
    await database.close()
    await restoreFolder(back, restored(join(folder, 'data')))

    const again = await opened(join(folder, 'data'))
    expect(await contentsOf(again)).toEqual(await contentsOf(embedded))
    await again.close()
  })
})

/** What a start finds in a folder. */
async function stateOf(path: string): Promise<string> {
  try {
    const store = await opened(path)
    const isOld = (await valueOf(store, 'old')) !== undefined
    const isNew = (await store.read((tx) => tx.machines.get('web1'))) !== undefined
    await store.close()
    return isOld ? 'old' : isNew ? 'new' : 'empty'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  }
}

/** Files that fail after some changes of the folder, as they do when the process is no more. The lock can be let go of. */
function failingAfter(files: Files, left: { operations: number }): Files {
  const next = (): void => {
    if (left.operations-- <= 0) throw new Error('crashed')
  }
  return {
    ...files,
    create: (name) => (next(), files.create(name)),
    rename: (from, to) => (next(), files.rename(from, to)),
    remove: (name) => {
      if (!name.startsWith('lock-')) next()
      return files.remove(name)
    },
    sync: () => (next(), files.sync()),
  }
}
