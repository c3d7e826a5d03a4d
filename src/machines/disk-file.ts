import { z } from 'zod'

/** The name of a file that holds a disk: no folder, no hidden file, an ending that says what it is. */
export const DiskFileName = z
  .string()
  .max(120)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*\.(qcow2|vhd|vhdx)$/,
    'a file name without a folder that ends in .qcow2, .vhd or .vhdx',
  )

export const diskFormats = ['qcow2', 'vhd', 'vhdx'] as const
export type DiskFormat = (typeof diskFormats)[number]

export function formatOfName(name: string): DiskFormat | undefined {
  return diskFormats.find((format) => name.toLowerCase().endsWith(`.${format}`))
}

/** Reads so many bytes at a place of a file; fewer where it ends. */
export type ReadAt = (at: number, length: number) => Promise<Buffer>

/** What a file holds: a disk of that size, or why it is none that may be taken. */
export type DiskFinding = { bytes: number } | { fault: string }

/**
 * Looks at the head of a file before any program that knows disks does. What leads to another file is refused: whoever
 * made it could have another file of the host read in its place.
 * Sources: QEMU's docs/interop/qcow2.txt; Microsoft's "Virtual Hard Disk Image Format Specification"; MS-VHDX 2.
 */
export async function inspectDisk(format: DiskFormat, size: number, read: ReadAt): Promise<DiskFinding> {
  switch (format) {
    case 'qcow2':
      return inspectQcow2(await read(0, 80))
    case 'vhd':
      return inspectVhd(await read(Math.max(0, size - 512), 512))
    case 'vhdx':
      return inspectVhdx(read)
  }
}

const another = 'needs another file beside it, and only whole disks are taken'

function inspectQcow2(head: Buffer): DiskFinding {
  if (head.length < 72 || head.toString('latin1', 0, 4) !== 'QFI\u00fb') return { fault: 'is no qcow2' }
  const version = head.readUInt32BE(4)
  if (version !== 2 && version !== 3) return { fault: `is qcow2 of version ${version}, which is not known` }
  if (head.readBigUInt64BE(8) !== 0n) return { fault: another }
  if (head.readUInt32BE(32) !== 0) return { fault: 'is encrypted' }
  // Incompatible features: dirty, corrupt, data in another file, a compression type, subclusters.
  const features = version === 3 && head.length >= 80 ? head.readBigUInt64BE(72) : 0n
  if ((features & 4n) !== 0n) return { fault: another }
  if ((features & 3n) !== 0n) return { fault: 'was not closed in order, or is damaged' }
  return { bytes: Number(head.readBigUInt64BE(24)) }
}

/** The footer, which every kind of VHD ends in. */
function inspectVhd(footer: Buffer): DiskFinding {
  if (footer.length < 512 || footer.toString('latin1', 0, 8) !== 'conectix') return { fault: 'is no VHD' }
  const sum = footer.reduce((total, byte, at) => (at >= 64 && at < 68 ? total : total + byte), 0)
  if (footer.readUInt32BE(64) !== ~sum >>> 0) return { fault: 'is damaged: its checksum is another' }
  const kind = footer.readUInt32BE(60)
  if (kind === 4) return { fault: another }
  if (kind !== 2 && kind !== 3) return { fault: `is a VHD of kind ${kind}, which is not known` }
  return { bytes: Number(footer.readBigUInt64BE(48)) }
}

const regions = { at: 192 * 1024, length: 64 * 1024 }
/** As they are written: the first three parts little-endian (MS-DTYP 2.3.4.2). */
const guids = {
  metadata: '06a27c8b90479a4bb8fe575f050f886e',
  parameters: '3767a1ca36fa434db3b633f0aa44e76b',
  size: '2442a52f1bcd7648b2115dbed83bf4b8',
}

async function inspectVhdx(read: ReadAt): Promise<DiskFinding> {
  if ((await read(0, 8)).toString('latin1') !== 'vhdxfile') return { fault: 'is no VHDX' }
  const damaged = { fault: 'is damaged: what it says of itself is not there' }
  const table = await read(regions.at, regions.length)
  if (table.toString('latin1', 0, 4) !== 'regi') return damaged
  const metadata = entryIn(table, { first: 16, count: countAt(table, 8, 4) }, guids.metadata)
  if (metadata === undefined) return damaged
  const at = Number(metadata.readBigUInt64LE(16))
  const items = await read(at, regions.length)
  if (items.toString('latin1', 0, 8) !== 'metadata') return damaged
  const within = { first: 32, count: countAt(items, 10, 2) }
  const [parameters, size] = [guids.parameters, guids.size].map((guid) => entryIn(items, within, guid))
  if (parameters === undefined || size === undefined) return damaged
  const flags = await read(at + parameters.readUInt32LE(16), 8)
  const bytes = await read(at + size.readUInt32LE(16), 8)
  if (flags.length < 8 || bytes.length < 8) return damaged
  return (flags.readUInt32LE(4) & 2) !== 0 ? { fault: another } : { bytes: Number(bytes.readBigUInt64LE(0)) }
}

function countAt(table: Buffer, at: number, bytes: 2 | 4): number {
  return table.length < at + bytes ? 0 : table.readUIntLE(at, bytes)
}

/** The entry of a table, of 32 bytes each, that bears a GUID. */
function entryIn(
  table: Buffer,
  { first, count }: { first: number; count: number },
  guid: string,
): Buffer | undefined {
  for (let index = 0; index < Math.min(count, 2047); index++) {
    const entry = table.subarray(first + index * 32, first + index * 32 + 32)
    if (entry.length === 32 && entry.toString('hex', 0, 16) === guid) return entry
  }
  return undefined
}
