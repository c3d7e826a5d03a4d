import { constants, createWriteStream } from 'node:fs'
import { type FileHandle, link, lstat, mkdir, open, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { instant, type Instant } from '../base/clock.ts'
import { messageOf, notFound, Outage } from '../base/errors.ts'
import { fingerprint } from '../base/seal.ts'
import { DiskFileName } from '../machines/disk-file.ts'

/**
 * Files of disks, a folder for each person below the one that the site's file names. Names have been checked
 * (`DiskFileName`); links are not followed, so that nobody comes by another file through one.
 */
export interface DiskFile {
  name: string
  bytes: number
  changedAt: Instant
}

/** Where the files of somebody are. A name that is no plain word becomes one. */
export function folderOf(library: string, user: string): string {
  const isPlain = /^[a-z0-9][a-z0-9_-]{0,63}$/.test(user)
  return join(library, isPlain ? user : `user.${fingerprint(user).slice(0, 20)}`)
}

/** Where a file stands while it is made or taken in. Nobody's folder begins with a dot. */
export function workPath(library: string, name: string): string {
  return join(library, '.work', name)
}

export async function listDisks(library: string, user: string): Promise<DiskFile[]> {
  const folder = folderOf(library, user)
  const names = await readdir(folder).catch(absentOr<string[]>([]))
  const found = await Promise.all(
    names.filter((name) => DiskFileName.safeParse(name).success).map((name) => diskAt(folder, name)),
  )
  return found.filter((file) => file !== undefined)
}

async function diskAt(folder: string, name: string): Promise<DiskFile | undefined> {
  const facts = await lstat(join(folder, name)).catch(absentOr(undefined))
  if (facts?.isFile() !== true) return undefined
  return { name, bytes: facts.size, changedAt: instant(facts.mtimeMs) }
}

/** @throws Refusal `not_found`. */
export async function findDisk(library: string, user: string, name: string): Promise<DiskFile> {
  const found = await diskAt(folderOf(library, user), name)
  if (found === undefined) throw notFound('file', name)
  return found
}

/** Opens a file of somebody for reading. @throws Refusal `not_found`, also for what is no file. */
export async function openDisk(library: string, user: string, name: string): Promise<FileHandle> {
  const path = join(folderOf(library, user), name)
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => {
      throw notFound('file', name)
    },
  )
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw notFound('file', name)
}

/** Copies a file to where nobody changes it while it is looked at. */
export async function copyDisk(
  from: { library: string; user: string; name: string },
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const file = await openDisk(from.library, from.user, from.name)
  await outage(async () => {
    await mkdir(join(from.library, '.work'), { recursive: true, mode: 0o770 })
    await pipeline(file.createReadStream(), createWriteStream(to), { signal })
  }, signal)
}

/**
 * Writes what comes to a file, up to a size. What is not whole is taken away again.
 * @returns how large it is; `too large` where more came.
 */
export async function writeDisk(
  source: AsyncIterable<Buffer>,
  path: string,
  mostBytes: number,
): Promise<number | 'too large'> {
  let bytes = 0
  async function* counted(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      bytes += chunk.length
      if (bytes > mostBytes) return
      yield chunk
    }
  }
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o770 })
    await pipeline(source, counted, createWriteStream(path, { flags: 'wx', flush: true }))
    if (bytes <= mostBytes) return bytes
  } catch (error) {
    await dropDisk(path)
    throw cannot(error)
  }
  await dropDisk(path)
  return 'too large'
}

/** Gives somebody a file that was made, unless they have one of that name. */
export async function handDisk(
  work: string,
  to: { library: string; user: string; name: string },
): Promise<'handed' | 'taken'> {
  const folder = folderOf(to.library, to.user)
  try {
    await mkdir(folder, { recursive: true, mode: 0o770 })
    await link(work, join(folder, to.name))
    await rm(work)
    return 'handed'
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return 'taken'
    throw cannot(error)
  }
}

export async function dropDisk(path: string): Promise<void> {
  await rm(path, { force: true }).catch((error: unknown) => {
    throw cannot(error)
  })
}

/** Reads at places of a file that lies still. */
export async function withDisk<T>(
  path: string,
  work: (disk: { size: number; read: (at: number, length: number) => Promise<Buffer> }) => Promise<T>,
): Promise<T> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw cannot(error)
  })
  try {
    const { size } = await file.stat()
    const read = async (at: number, length: number) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at)
      return buffer.subarray(0, bytesRead)
    }
    return await work({ size, read })
  } finally {
    await file.close()
  }
}

async function outage(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await work()
  } catch (error) {
    signal.throwIfAborted()
    throw cannot(error)
  }
}

function cannot(cause: unknown): Outage {
  const detail = `The folder for disks cannot be used: ${messageOf(cause)}`
  return new Outage('library_unusable', detail, { transient: true, cause })
}

function absentOr<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (codeOf(error) === 'ENOENT') return instead
    throw cannot(error)
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
