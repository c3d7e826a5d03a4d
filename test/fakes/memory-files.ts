import { setImmediate } from 'node:timers/promises'
import type { Files, OpenFile } from '../../src/store/lowdb/files.ts'
import type { Processes } from '../../src/store/lowdb/processes.ts'

/** What is asked of the disk, for tests that let it fail, wait or be counted. */
export interface DiskOperation {
  kind:
    'create' | 'create-once' | 'open' | 'rename' | 'remove' | 'sync-folder' | 'write' | 'truncate' | 'sync'
  name: string
}

/**
 * A folder in memory that behaves like a disk: what is not synced may be lost in a power cut, names as well as bytes,
 * and not always the last of it. With it comes a host of its own, so that a killed process's lock is known to be dead.
 */
export interface MemoryDisk {
  /** The folder as a process that is started now sees it. After a power cut or a kill it fails. */
  files(): Files
  processes(): Processes
  /** Ends the process. What it wrote is kept. */
  kill(): void
  /** Ends the process and loses what was not synced: all of it, or by `luck` (0 to 1, asked anew for each write). */
  powerCut(luck?: () => number): void
  /** Called before each operation that changes something. It may throw, wait, or pull the plug. */
  before: (operation: DiskOperation) => Promise<void> | void
  /** How long a sync takes, in which others go on: a turn of the event loop. */
  syncing: () => Promise<unknown>
  /** Everything that was done so far. */
  readonly done: DiskOperation[]
  names(): string[]
  contents(name: string): Buffer
  /** Writes over a file, durably, as a bad disk or an operator may. */
  overwrite(name: string, bytes: Buffer): void
}

export function memoryFiles(): MemoryDisk {
  let boot = 1
  const folder = new Folder()
  const disk: MemoryDisk = {
    before: () => undefined,
    syncing: () => setImmediate(),
    done: [],
    files: () => filesOf(disk, folder, isRunning(boot)),
    processes: () => ({
      pid: boot,
      host: 'memory',
      find: async (pid) => (pid === boot ? { started: `boot ${boot}` } : undefined),
    }),
    kill: () => {
      boot += 1
    },
    powerCut: (luck = () => 0) => {
      boot += 1
      folder.lose(luck)
    },
    names: () => [...folder.current.keys()].sort(),
    contents: (name) => folder.get(name).current.all(),
    overwrite: (name, bytes) => {
      folder.current.set(name, new FileBody(bytes))
      folder.sync()
    },
  }
  return disk

  function isRunning(bootOfProcess: number): () => void {
    return () => {
      if (boot !== bootOfProcess) throw new Error('the process is gone')
    }
  }
}

function filesOf(disk: MemoryDisk, folder: Folder, alive: () => void): Files {
  async function run<T>(kind: DiskOperation['kind'], name: string, work: () => T): Promise<T> {
    alive()
    await disk.before({ kind, name })
    // A sync takes its time, in which others go on.
    if (kind === 'sync') await disk.syncing()
    alive()
    disk.done.push({ kind, name })
    return work()
  }
  const handle = (name: string, body: FileBody): OpenFile => ({
    size: async () => body.current.length,
    read: async (offset, length) => body.current.read(offset, length),
    write: (offset, bytes) => run('write', name, () => body.change({ offset, bytes: Buffer.from(bytes) })),
    truncate: (size) => run('truncate', name, () => body.change({ size })),
    sync: () => run('sync', name, () => body.sync()),
    close: async () => undefined,
  })
  return {
    prepare: async () => alive(),
    list: async () => {
      alive()
      return [...folder.current.keys()]
    },
    open: async (name) => {
      alive()
      const body = folder.current.get(name)
      return body && handle(name, body)
    },
    create: (name) => run('create', name, () => handle(name, folder.create(name))),
    createOnce: (name, text) =>
      run('create-once', name, () => {
        if (folder.current.has(name)) return false
        folder.change((names) => names.set(name, new FileBody(Buffer.from(text))))
        return true
      }),
    rename: (from, to) => run('rename', from, () => folder.rename(from, to)),
    remove: (name) => run('remove', name, () => folder.change((names) => names.delete(name))),
    sync: () => run('sync-folder', '', () => folder.sync()),
  }
}

type Write = { offset: number; bytes: Buffer } | { size: number }

class Folder {
  readonly current = new Map<string, FileBody>()
  #durable = new Map<string, FileBody>()
  #changes: ((names: Map<string, FileBody>) => void)[] = []

  get(name: string): FileBody {
    const body = this.current.get(name)
    if (body === undefined) throw new Error(`ENOENT: ${name}`)
    return body
  }

  change(change: (names: Map<string, FileBody>) => void): void {
    change(this.current)
    this.#changes.push(change)
  }

  create(name: string): FileBody {
    const known = this.current.get(name)
    const body = known ?? new FileBody(Buffer.alloc(0))
    if (known === undefined) this.change((names) => names.set(name, body))
    else known.change({ size: 0 })
    return body
  }

  rename(from: string, to: string): void {
    const body = this.get(from)
    this.change((names) => {
      names.delete(from)
      names.set(to, body)
    })
  }

  sync(): void {
    this.#changes = []
    this.#durable = new Map(this.current)
  }

  /** What was not synced is kept or lost in no order, names as well as bytes: nothing promises one. */
  lose(luck: () => number): void {
    for (const change of this.#changes.splice(0)) if (luck() >= 0.5) change(this.#durable)
    this.current.clear()
    for (const [name, body] of this.#durable) {
      body.lose(luck)
      this.current.set(name, body)
    }
  }
}

class FileBody {
  current: Bytes
  #durable: Bytes
  #writes: Write[] = []

  constructor(bytes: Buffer) {
    this.current = new Bytes(bytes)
    this.#durable = new Bytes(bytes)
  }

  change(write: Write): void {
    this.current.apply(write)
    this.#writes.push(write)
  }

  sync(): void {
    for (const write of this.#writes.splice(0)) this.#durable.apply(write)
  }

  lose(luck: () => number): void {
    for (const write of this.#writes.splice(0)) {
      const chance = luck()
      if (chance < 1 / 3) continue
      const isTorn = chance < 2 / 3 && 'bytes' in write
      const kept = isTorn
        ? { offset: write.offset, bytes: write.bytes.subarray(0, Math.floor(luck() * write.bytes.length)) }
        : write
      this.#durable.apply(kept)
    }
    this.current = new Bytes(this.#durable.all())
  }
}

/** Bytes that can grow without being copied each time. */
class Bytes {
  #buffer: Buffer
  #length: number

  constructor(bytes: Buffer) {
    this.#buffer = Buffer.from(bytes)
    this.#length = bytes.length
  }

  get length(): number {
    return this.#length
  }

  all(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length))
  }

  read(offset: number, length: number): Buffer {
    return Buffer.from(
      this.#buffer.subarray(offset, Math.max(offset, Math.min(this.#length, offset + length))),
    )
  }

  apply(write: Write): void {
    if ('size' in write) {
      this.#reserve(write.size)
      this.#buffer.fill(0, Math.min(write.size, this.#length), Math.max(write.size, this.#length))
      this.#length = write.size
      return
    }
    const end = write.offset + write.bytes.length
    this.#reserve(end)
    write.bytes.copy(this.#buffer, write.offset)
    this.#length = Math.max(this.#length, end)
  }

  #reserve(size: number): void {
    if (size <= this.#buffer.length) return
    const larger = Buffer.alloc(Math.max(size, 2 * this.#buffer.length))
    this.#buffer.copy(larger)
    this.#buffer = larger
  }
}
