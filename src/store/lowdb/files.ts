import { randomUUID } from 'node:crypto'
import { type FileHandle, link, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/**
 * The store's folder as the disk sees it (port, so that tests can break it). Nothing is durable before it is synced: a
 * file's bytes by its `sync`, its name (new, renamed, removed) by the folder's.
 */
export interface Files {
  /** Makes the folder if need be. */
  prepare(): Promise<void>
  list(): Promise<string[]>
  /** An existing file, to be read and changed; nothing when it is not there. */
  open(name: string): Promise<OpenFile | undefined>
  /** A new empty file; one of that name is emptied. */
  create(name: string): Promise<OpenFile>
  /** A new file with this text, both at once; false, and nothing done, when there is one of that name. */
  createOnce(name: string, text: string): Promise<boolean>
  /** Puts a file in the place of another in one step. */
  rename(from: string, to: string): Promise<void>
  /** Harmless when it is not there. */
  remove(name: string): Promise<void>
  sync(): Promise<void>
}

export interface OpenFile {
  size(): Promise<number>
  /** Up to `length` bytes, fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>
  write(offset: number, bytes: Buffer): Promise<void>
  truncate(size: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** A real folder. Only its owner may look inside: the site's keys are there. */
export function diskFiles(path: string): Files {
  const at = (name: string) => join(path, name)
  return {
    prepare: () => makeFolder(resolve(path)),
    list: () => readdir(path),
    open: async (name) => {
      const handle = await unlessAbsent(open(at(name), 'r+'))
      return handle && openFile(handle)
    },
    create: async (name) => openFile(await open(at(name), 'w+', 0o600)),
    createOnce: (name, text) => createOnce(path, name, text),
    rename: (from, to) => rename(at(from), at(to)),
    remove: (name) => rm(at(name), { force: true }),
    sync: () => syncFolder(path),
  }
}

/** A new folder is durable once the one that it stands in is synced. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let at = path; at.length >= first.length; at = dirname(at)) await syncFolder(dirname(at))
}

function openFile(handle: FileHandle): OpenFile {
  return {
    size: async () => (await handle.stat()).size,
    read: (offset, length) => readFully(handle, offset, length),
    write: (offset, bytes) => writeFully(handle, offset, bytes),
    truncate: (size) => handle.truncate(size),
    sync: () => handle.datasync(),
    close: () => handle.close(),
  }
}

/** The system may read less than it was asked for. */
async function readFully(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}

/** The system may write less than it was given, most of all on a disk that is nearly full. */
async function writeFully(handle: FileHandle, offset: number, bytes: Buffer): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done)
    done += bytesWritten
  }
}

/** A hard link appears with all of its content or not at all, and never over another file. */
async function createOnce(path: string, name: string, text: string): Promise<boolean> {
  const temporary = join(path, `${name}.${randomUUID()}.tmp`)
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
    await link(temporary, join(path, name))
    return true
  } catch (error) {
    // ENOENT: somebody who holds the folder has cleared our temporary file away.
    if (hasCode(error, 'EEXIST') || hasCode(error, 'ENOENT')) return false
    throw error
  } finally {
    await handle.close()
    await rm(temporary, { force: true })
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function unlessAbsent<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** How many bytes a file has; 0 when it is not there. */
export async function sizeOf(files: Files, name: string): Promise<number> {
  const file = await files.open(name)
  const size = (await file?.size()) ?? 0
  await file?.close()
  return size
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
