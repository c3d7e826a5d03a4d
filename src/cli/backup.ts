import { createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { systemClock } from '../base/clock.ts'
import { Outage } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import type { Config } from '../config.ts'
import { type Backup, readBackup, writeBackup } from '../store/backup.ts'
import { openStore } from '../store/open.ts'
import { holdsSite, type Restored, restoreFolder, restoreInto } from '../store/restore.ts'
import { askService } from './service.ts'

/**
 * Writes all of a site's data to a file, through the service when it runs and else from its data, and says what is in it.
 * The file appears when it is whole, durable and read again; only its owner may read it: the site's keys are in it.
 */
export async function backupSite(config: Config, file: string): Promise<string> {
  const path = resolve(file)
  const temporary = `${path}.${process.pid}.tmp`
  try {
    await (await open(temporary, 'wx', 0o600)).close()
    await fill(config, temporary)
    const backup = await readBackup(temporary)
    await rename(temporary, path)
    await sync(dirname(path))
    return `Backup of ${words(backup)}\nIt is in ${path}, whole and read again.\n`
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Puts a backup in the place of a site's data, which no service may use, and says what was done. */
export async function restoreSite(config: Config, file: string, force: boolean): Promise<string> {
  const restored = await (config.store.kind === 'lowdb'
    ? restoreFolder(file, { path: config.store.path, force, clock: systemClock, log: silentLog })
    : restoreDatabase(config, file))
  const aside = restored.aside === null ? '' : `What was there before is in ${restored.aside}.\n`
  return `Restored ${words(restored)}\n${aside}`
}

async function fill(config: Config, file: string): Promise<void> {
  const isEmbedded = config.store.kind === 'lowdb'
  const answer = isEmbedded ? await askService(config, { method: 'GET', path: '/backup' }) : undefined
  const to = createWriteStream(file, { mode: 0o600 })
  if (answer === undefined) await fromData(config, to)
  else if (answer.statusCode === 200) await pipeline(answer, to)
  else {
    throw new Outage(
      'service_refused',
      `The service does not give a backup (HTTP ${answer.statusCode ?? 0}).`,
      {
        transient: false,
      },
    )
  }
  await sync(file)
}

async function fromData({ store: choice, site }: Config, to: Writable): Promise<void> {
  if (choice.kind === 'lowdb' && !(await holdsSite(choice.path))) {
    throw new Outage('no_site', `There is no site in ${choice.path}.`, { transient: false })
  }
  const store = await openStore(choice, { log: silentLog, clock: systemClock })
  try {
    await writeBackup(store, { site: site.name, at: systemClock.now() }, to)
  } finally {
    await store.close()
  }
}

async function restoreDatabase({ store: choice }: Config, file: string): Promise<Restored> {
  const store = await openStore(choice, { log: silentLog, clock: systemClock })
  try {
    return { ...(await restoreInto(store, file)), aside: null }
  } finally {
    await store.close()
  }
}

function words({ site, at, counts }: Backup): string {
  const many = (count: number, noun: string) =>
    `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
  return (
    `"${site}": ${many(counts.documents, 'document')}, ${many(counts.audit, 'audit row')}, ` +
    `${many(counts.charges, 'charge')}, as of ${at}.`
  )
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
