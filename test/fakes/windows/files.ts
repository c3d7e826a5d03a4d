import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { PsError } from './values.ts'

/** A virtual disk as the stand-in keeps it: a small real file that says what it would be. */
export interface Disk {
  format: 'vhd' | 'vhdx'
  type: 'Dynamic' | 'Differencing'
  size: number
  parent: string | null
  /** Whose contents it has. */
  content: string
}

/**
 * The disks of one Windows computer, kept below a folder of this machine. `C:\ClusterStorage` is the same for all
 * computers of a farm; a path of this machine is itself.
 */
export interface Files {
  real(path: string): string
  exists(path: string): boolean
  disk(path: string): Disk
  /** The disk and those it lies on top of. */
  chain(path: string): string[]
  writeDisk(path: string, disk: Disk): void
  write(path: string, body: Uint8Array): void
  makeFolder(path: string): void
  list(folder: string): { name: string; length: number }[]
  move(from: string, to: string): void
  remove(path: string): void
  /** Copies a folder to another computer. */
  copyTo(other: Files, folder: string): void
}

export function filesOf(root: string, computer: string): Files {
  const real = (path: string): string => {
    if (path.startsWith('/')) return path
    if (!/^[A-Za-z]:\\/.test(path)) throw notFound(path)
    const isShared = /^C:\\ClusterStorage\\/i.test(path)
    return join(root, isShared ? 'cluster' : computer, ...path.toLowerCase().replace(':', '').split('\\'))
  }
  const mustBe = (path: string): string => {
    const place = real(path)
    if (!existsSync(place)) throw notFound(path)
    return place
  }
  const files: Files = {
    real,
    exists: (path) => existsSync(real(path)),
    disk(path) {
      const found: unknown = tryJson(readFileSync(mustBe(path), 'utf8'))
      if (isDisk(found)) return found
      throw new PsError(
        'OperationFailed,Microsoft.Vhd.PowerShell.Cmdlets',
        `'${path}' is no virtual disk.`,
        'InvalidArgument',
        0xc03a0008,
      )
    },
    chain(path) {
      const { parent } = files.disk(path)
      return parent === null ? [path] : [path, ...files.chain(parent)]
    },
    writeDisk(path, disk) {
      if (existsSync(real(path))) throw exists(path)
      if (!existsSync(dirname(real(path)))) throw notFound(dirname(path))
      writeFileSync(real(path), JSON.stringify(disk))
    },
    write(path, body) {
      if (!existsSync(dirname(real(path)))) throw notFound(path)
      writeFileSync(real(path), body)
    },
    makeFolder: (path) => void mkdirSync(real(path), { recursive: true }),
    list: (folder) =>
      readdirSync(mustBe(folder)).map((name) => ({ name, length: statSync(join(real(folder), name)).size })),
    move: (from, to) => renameSync(mustBe(from), real(to)),
    remove: (path) => rmSync(mustBe(path), { recursive: true }),
    copyTo: (other, folder) => cpSync(mustBe(folder), other.real(folder), { recursive: true }),
  }
  return files
}

function isDisk(found: unknown): found is Disk {
  return typeof found === 'object' && found !== null && 'format' in found && 'content' in found
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function notFound(path: string): PsError {
  return new PsError(
    'PathNotFound,Microsoft.PowerShell.Commands',
    `Cannot find path '${path}' because it does not exist.`,
    'ObjectNotFound',
    0x80070002,
  )
}

export function exists(path: string): PsError {
  return new PsError(
    'OperationFailed,Microsoft.Vhd.PowerShell.Cmdlets',
    `The file '${path}' exists.`,
    'ResourceExists',
    0x80070050,
  )
}
