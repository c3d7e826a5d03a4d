import { createHash } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { Outage } from '../base/errors.ts'
import { type Log, silentLog } from '../base/log.ts'
import { type Backup, readBackup } from './backup.ts'
import { lowdb } from './lowdb.ts'
import { checkpointName } from './lowdb/checkpoint.ts'
import { diskFiles, type Files, hasCode } from './lowdb/files.ts'
import { takeLock } from './lowdb/lock.ts'
import { systemProcesses } from './lowdb/processes.ts'
import { isEmpty, putPart, takeSnapshot } from './snapshot.ts'
import type { Part, Store } from './store.ts'

export interface Restored extends Backup {
  /** Where the folder keeps what it held before; null when it was empty. */
  aside: string | null
}

interface FolderOptions {
  path: string
  /** Moves aside what the folder holds. Else it must hold no site. */
  force: boolean
  clock: Clock
  log: Log
  /** The folder as the disk sees it: tests hand in their own. */
  files?: Files
}

/** What belongs to the store; all else in the folder (the simulator's farm, say) stays. */
const storeFile = /^(checkpoint\.jsonl|(journal|audit|charges)-[0-9-]+\.jsonl|restore-unfinished\.jsonl)$/
/** While this is there and no checkpoint is, the folder does not start: it would look like a new site. */
const marker = 'restore-unfinished.jsonl'

/** Whether a folder holds a site. */
export async function holdsSite(path: string): Promise<boolean> {
  const names = await diskFiles(path)
    .list()
    .catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return []
      throw error
    })
  return names.some((name) => storeFile.test(name))
}

/**
 * Puts a backup in the place of what a folder of the embedded store holds. It is read through, loaded into a folder of
 * its own, read again and compared before anything is replaced; a crash at any point leaves the old site, the new one,
 * or a folder that does not start and can be restored again.
 * @throws Outage `store_in_use` while a process has the folder, `store_not_empty` when it holds a site and force was not
 * given, `backup_damaged`, `store_too_new`, `store_differs`.
 */
export async function restoreFolder(file: string, options: FolderOptions): Promise<Restored> {
  const { path, force, clock, log, files = diskFiles(path) } = options
  await readBackup(file)
  await files.prepare()
  const at = clock.now()
  const unlock = await takeLock(files, { path, processes: systemProcesses, at })
  try {
    const old = (await files.list()).filter((name) => storeFile.test(name))
    if (old.length > 0 && !force) throw notEmpty(path)
    const [fresh, aside] = ['restored', `before-restore-${at.replaceAll(/[:.]/g, '-')}`]
    await rm(join(path, fresh), { recursive: true, force: true })
    const backup = await loadFolder(file, { path: join(path, fresh), clock, log })
    if (old.length > 0) await mkdir(join(path, aside), { mode: 0o700 })
    await replace(files, path, { old, fresh, aside })
    await rm(join(path, fresh), { recursive: true })
    return { ...backup, aside: old.length > 0 ? join(path, aside) : null }
  } finally {
    await unlock()
  }
}

/**
 * Loads a backup into a store that is empty and that nobody uses, reads it again and compares.
 * @throws Outage `store_not_empty`, `backup_damaged`, `store_too_new`, `store_differs`.
 */
export async function restoreInto(store: Store, file: string): Promise<Backup> {
  await readBackup(file)
  if (!(await isEmpty(store))) {
    throw new Outage('store_not_empty', notEmptyDatabase, { transient: false })
  }
  const before = new Sum()
  const backup = await readBackup(file, async (part) => {
    before.add(part)
    await store.transact((tx) => putPart(tx, part))
  })
  await compare(store, before)
  return backup
}

async function loadFolder(file: string, options: { path: string; clock: Clock; log: Log }): Promise<Backup> {
  const store = await lowdb(options)
  const before = new Sum()
  const backup = await readBackup(file, async (part) => {
    before.add(part)
    await store.transact((tx) => putPart(tx, part))
  }).finally(() => store.close())
  // Opened anew, so that what the disk gives back is compared.
  const again = await lowdb({ ...options, log: silentLog })
  await compare(again, before).finally(() => again.close())
  return backup
}

/** The old files go, the new ones come, the checkpoints at the beginning and at the end of it. */
async function replace(
  files: Files,
  path: string,
  { old, fresh, aside }: { old: readonly string[]; fresh: string; aside: string },
): Promise<void> {
  const isCheckpoint = (name: string) => name === checkpointName
  const come = (await diskFiles(join(path, fresh)).list()).filter((name) => storeFile.test(name))
  await (await files.create(marker)).close()
  await files.sync()
  for (const name of [...old].sort((a, b) => Number(isCheckpoint(b)) - Number(isCheckpoint(a)))) {
    if (name !== marker) await files.rename(name, join(aside, name))
    if (isCheckpoint(name)) await files.sync()
  }
  for (const name of come) if (!isCheckpoint(name)) await files.rename(join(fresh, name), name)
  await files.sync()
  if (old.length > 0) await diskFiles(join(path, aside)).sync()
  await files.rename(join(fresh, checkpointName), checkpointName)
  await files.sync()
  await files.remove(marker)
}

async function compare(store: Store, before: Sum): Promise<void> {
  const after = new Sum()
  await takeSnapshot(store, async (part) => after.add(part))
  if (after.text === before.text) return
  throw new Outage('store_differs', 'What was restored is not what the backup holds. Nothing was replaced.', {
    transient: false,
  })
}

/** The same for the same documents and rows in any order: how many, and all their SHA-256 together. */
class Sum {
  readonly #sum = Buffer.alloc(32)
  #count = 0

  add({ name, items }: Part): void {
    for (const item of items) {
      const digest = createHash('sha256')
        .update(JSON.stringify([name, item]))
        .digest()
      for (const [at, byte] of digest.entries()) this.#sum[at] = (this.#sum[at] ?? 0) ^ byte
    }
    this.#count += items.length
  }

  get text(): string {
    return `${this.#count} ${this.#sum.toString('hex')}`
  }
}

const notEmptyDatabase =
  'The database holds a site already. To move that aside, stop the service and run in the database: ' +
  'ALTER SCHEMA jackdaw RENAME TO jackdaw_before'

function notEmpty(path: string): Outage {
  return new Outage(
    'store_not_empty',
    `${path} holds a site already. With --force that is moved aside, into a folder in ${path}.`,
    { transient: false },
  )
}
