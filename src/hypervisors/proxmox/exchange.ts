import { copyFile, mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../base/errors.ts'
import { convertDisk, formatOf, verifyDisk, whole } from '../disk-image.ts'
import { refused } from '../outages.ts'
import type { ProxmoxRule } from './rule.ts'
import { storageOf } from './device.ts'

export type Exchange = NonNullable<ProxmoxRule['exchange']>

/** @throws Outage `hypervisor_refused`: the API can neither give a disk out nor take a snippet in. */
export function exchangeOf(rule: ProxmoxRule): Exchange {
  if (rule.exchange !== undefined) return rule.exchange
  throw refused(
    `The API of Proxmox VE gives no disks out. Name a storage of files that this service sees too as exchange of ${rule.name} in the site's file.`,
  )
}

export function snippetVolume({ storage }: Exchange, ref: string): string {
  return `${storage}:snippets/jackdaw-${ref}.yaml`
}

export async function writeSnippet({ path }: Exchange, ref: string, text: string): Promise<void> {
  const folder = join(path, 'snippets')
  await inWords(folder, async () => {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `jackdaw-${ref}.yaml`), text, { mode: 0o644 })
  })
}

export function seedVolume({ storage }: Exchange, ref: string): string {
  return `${storage}:iso/jackdaw-${ref}.iso`
}

export async function writeSeed({ path }: Exchange, ref: string, disc: Uint8Array): Promise<void> {
  const folder = join(path, 'template', 'iso')
  await inWords(folder, async () => {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `jackdaw-${ref}.iso`), disc, { mode: 0o644 })
  })
}

/** Removes what a machine was told by. */
export async function dropSeeds({ path }: Exchange, ref: string): Promise<void> {
  await rm(join(path, 'snippets', `jackdaw-${ref}.yaml`), { force: true })
  await rm(join(path, 'template', 'iso', `jackdaw-${ref}.iso`), { force: true })
}

/** Where a disk on the exchange lies for us: `exchange:101/vm-101-disk-0.qcow2` is `images/101/…` in its folder. */
export function diskPath({ storage, path }: Exchange, volume: string): string {
  const name = volume.slice(volume.indexOf(':') + 1)
  const isOurs = storageOf(volume) === storage && /^[0-9]+\/[A-Za-z0-9._-]+$/.test(name)
  if (!isOurs)
    throw refused(`${volume} is not a file on ${storage}: that storage has to be a folder of files.`)
  return join(path, 'images', name)
}

/** Writes a disk out, in the format of the ending. @throws Outage `hypervisor_refused` for a file that is there. */
export async function copyOut(from: string, to: string, signal: AbortSignal): Promise<void> {
  const format = formatOf(to)
  const options = format === 'vpc' ? ['-o', 'subformat=dynamic,force_size=on'] : []
  const make = (draft: string) =>
    format === 'qcow2'
      ? copyFile(from, draft)
      : convertDisk(from, 'qcow2', draft, ['-O', format, ...options], signal)
  await whole(to, make, 'new')
}

export function importVolume({ storage }: Exchange, image: string): string {
  return `${storage}:import/jackdaw-${image}.qcow2`
}

/**
 * Puts a disk where nodes can take it in. Those of the format qcow2 are looked at and copied; for others `qemu-img` is
 * needed here, since Proxmox VE takes them in no other way.
 */
export async function copyIn(
  { path }: Exchange,
  file: string,
  image: string,
  signal: AbortSignal,
): Promise<void> {
  const format = formatOf(file)
  const folder = join(path, 'import')
  if (format === 'qcow2') await checkDisk(file)
  else await verifyDisk(file, format, signal)
  await inWords(folder, () => mkdir(folder, { recursive: true }))
  const make = (draft: string) =>
    format === 'qcow2' ? copyFile(file, draft) : convertDisk(file, format, draft, ['-O', 'qcow2'], signal)
  await whole(join(folder, `jackdaw-${image}.qcow2`), make)
}

export async function dropImport({ path }: Exchange, image: string): Promise<void> {
  await rm(join(path, 'import', `jackdaw-${image}.qcow2`), { force: true })
}

const headerBytes = 80

/**
 * Looks at the start of a qcow2 file (QEMU, docs/interop/qcow2.txt). One that names other files is refused: their
 * content would come from the node's own disk.
 * @throws Outage `hypervisor_refused` when it is no disk that can be taken in.
 */
async function checkDisk(file: string): Promise<void> {
  const header = Buffer.alloc(headerBytes)
  const length = await inWords(file, async () => {
    const handle = await open(file)
    try {
      return (await handle.read(header, 0, headerBytes, 0)).bytesRead
    } finally {
      await handle.close()
    }
  })
  const version = header.readUInt32BE(4)
  const isDisk = length >= 72 && header.toString('latin1', 0, 4) === 'QFI\xfb' && [2, 3].includes(version)
  if (!isDisk || header.readBigUInt64BE(24) === 0n)
    throw refused(`${file} is not a disk in the format qcow2.`)
  const incompatible = version === 3 ? header.readBigUInt64BE(72) : 0n
  if (header.readBigUInt64BE(8) !== 0n || (incompatible & 4n) !== 0n) {
    throw refused(`${file} stands on another file. Make it whole first: qemu-img convert -O qcow2.`)
  }
  if ((incompatible & 2n) !== 0n) throw refused(`${file} is damaged. qemu-img check says more.`)
}

async function inWords<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw refused(`${file} cannot be used: ${messageOf(error)}.`)
  }
}
