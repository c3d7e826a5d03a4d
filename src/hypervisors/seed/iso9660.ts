/** A small file of a disc. Its name has at most 64 letters, none outside ASCII. */
export interface DiscFile {
  name: string
  body: Uint8Array
}

const sector = 2048
/** ISO 9660 (ECMA-119) §6.2.1: the first sixteen sectors are the system's. */
const place = { primary: 16, joliet: 17, end: 18, tables: 19, roots: 23, files: 25 } as const
/** Always the same, so that the same files make the same disc. */
const recorded = [120, 1, 1, 0, 0, 0, 0] as const

/**
 * A CD image with files in its root, after ECMA-119 with the Joliet extension, which is where Linux and Windows find
 * the names as they are written here.
 * @param label the volume's name, at most 16 letters
 */
export function isoImage(label: string, files: readonly DiscFile[]): Uint8Array {
  const placed = layOut(files)
  const total = Math.max(place.files, ...placed.map(({ at, body }) => at + sectors(body.length)))
  const image = Buffer.alloc(total * sector)
  const put = (at: number, bytes: Uint8Array) => image.set(bytes, at * sector)
  const root = { primary: place.roots, joliet: place.roots + 1 }
  put(
    place.primary,
    descriptor({ type: 1, label: padded(label, 32), escape: '', total, root: root.primary, table: 0 }),
  )
  put(
    place.joliet,
    descriptor({ type: 2, label: wide(label, 32), escape: '%/E', total, root: root.joliet, table: 2 }),
  )
  put(place.end, Buffer.concat([Buffer.from([255]), Buffer.from('CD001'), Buffer.from([1])]))
  ;[root.primary, root.primary, root.joliet, root.joliet].forEach((at, index) => {
    put(place.tables + index, pathTable(at, index % 2 === 1))
  })
  put(
    root.primary,
    directory(root.primary, placed, ({ index }) => Buffer.from(`F${index}.;1`)),
  )
  put(
    root.joliet,
    directory(root.joliet, placed, ({ name }) => utf16be(name)),
  )
  for (const { at, body } of placed) put(at, body)
  return image
}

interface Placed extends DiscFile {
  index: number
  at: number
}

/** Entries of a directory come in the order of their names (§9.3). */
function layOut(files: readonly DiscFile[]): Placed[] {
  let at: number = place.files
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1))
  return sorted.map((file, index) => {
    const here = { ...file, index, at }
    at += sectors(file.body.length)
    return here
  })
}

interface Description {
  type: 1 | 2
  label: Uint8Array
  escape: string
  total: number
  root: number
  /** Which of the four path tables is its first. */
  table: number
}

/** A volume descriptor (§8.4, §8.5). */
function descriptor({ type, label, escape, total, root, table }: Description): Uint8Array {
  const bytes = Buffer.alloc(sector)
  const blank = (from: number, to: number) => bytes.fill(type === 1 ? ' ' : wide('', to - from), from, to)
  bytes[0] = type
  bytes.write('CD001\x01', 1, 'latin1')
  blank(8, 40)
  bytes.set(label, 40)
  both32(bytes, 80, total)
  bytes.write(escape, 88, 'latin1')
  both16(bytes, 120, 1)
  both16(bytes, 124, 1)
  both16(bytes, 128, sector)
  both32(bytes, 132, 10)
  bytes.writeUInt32LE(place.tables + table, 140)
  bytes.writeUInt32BE(place.tables + table + 1, 148)
  bytes.set(record({ at: root, length: sector, isFolder: true, name: Buffer.from([0]) }), 156)
  blank(190, 813)
  for (const at of [813, 830, 847, 864]) bytes.write('0000000000000000', at, 'latin1')
  bytes[881] = 1
  return bytes
}

/** The only folder is the root (§9.4). */
function pathTable(root: number, isBigEndian: boolean): Uint8Array {
  const bytes = Buffer.alloc(10)
  bytes[0] = 1
  if (isBigEndian) bytes.writeUInt32BE(root, 2)
  else bytes.writeUInt32LE(root, 2)
  if (isBigEndian) bytes.writeUInt16BE(1, 6)
  else bytes.writeUInt16LE(1, 6)
  return bytes
}

function directory(at: number, files: readonly Placed[], nameOf: (file: Placed) => Uint8Array): Uint8Array {
  const folder = { at, length: sector, isFolder: true }
  return Buffer.concat([
    record({ ...folder, name: Buffer.from([0]) }),
    record({ ...folder, name: Buffer.from([1]) }),
    ...files.map((file) =>
      record({ at: file.at, length: file.body.length, isFolder: false, name: nameOf(file) }),
    ),
  ])
}

/** A directory record (§9.1). */
function record(entry: { at: number; length: number; isFolder: boolean; name: Uint8Array }): Uint8Array {
  const bytes = Buffer.alloc(33 + entry.name.length + ((entry.name.length + 1) % 2))
  bytes[0] = bytes.length
  both32(bytes, 2, entry.at)
  both32(bytes, 10, entry.length)
  bytes.set(recorded, 18)
  bytes[25] = entry.isFolder ? 2 : 0
  both16(bytes, 28, 1)
  bytes[32] = entry.name.length
  bytes.set(entry.name, 33)
  return bytes
}

function both32(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(value, at)
  bytes.writeUInt32BE(value, at + 4)
}

function both16(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt16LE(value, at)
  bytes.writeUInt16BE(value, at + 2)
}

function padded(text: string, length: number): Buffer {
  return Buffer.from(text.padEnd(length, ' '), 'latin1')
}

function wide(text: string, length: number): Buffer {
  return utf16be(text.padEnd(Math.floor(length / 2), ' '))
}

function utf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16()
}

function sectors(length: number): number {
  return Math.max(1, Math.ceil(length / sector))
}
