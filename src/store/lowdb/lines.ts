import * as zlib from 'node:zlib'
import { Outage } from '../../base/errors.ts'
import type { OpenFile } from './files.ts'

const chunkBytes = 1 << 20
const newline = 0x0a

/** One line of a file: where it begins, and its text, or nothing when it is torn or its checksum does not fit. */
export interface Line {
  offset: number
  text: string | undefined
}

/** A line with its checksum in front: eight hex digits of CRC-32 over the UTF-8 of the text, and a blank. */
export function encodeLine(text: string): string {
  return `${checksum(text)} ${text}\n`
}

/** The lines of a file, or of a part of it, one after the other. */
export async function* readLines(
  file: OpenFile,
  from = 0,
  to = Infinity,
): AsyncGenerator<Line, void, undefined> {
  let offset = from
  let rest: Buffer = Buffer.alloc(0)
  for (;;) {
    const next = offset + rest.length
    const bytes = await file.read(next, Math.max(0, Math.min(chunkBytes, to - next)))
    if (bytes.length === 0) break
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    let start = 0
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline, start)) {
      yield { offset: offset + start, text: decodeLine(rest.subarray(start, end)) }
      start = end + 1
    }
    offset += start
    rest = rest.subarray(start)
  }
  if (rest.length > 0) yield { offset, text: undefined }
}

/** A file of ours that does not hold what we wrote. Trying again does not help. */
export function damaged(file: string, offset: number, remedy: string): Outage {
  return new Outage('store_damaged', `${file} is damaged at byte ${offset}. ${remedy}`, { transient: false })
}

function decodeLine(bytes: Buffer): string | undefined {
  const text = bytes.subarray(9)
  return bytes.toString('latin1', 0, 9) === `${checksum(text)} ` ? text.toString('utf8') : undefined
}

function checksum(data: string | Buffer): string {
  return crc32(data).toString(16).padStart(8, '0')
}

// Node has had CRC-32 since 20.15 and 22.2. Elsewhere the same sum is worked out here, so that a folder can move.
const builtIn: { crc32?: (data: string | Buffer) => number } = zlib
function crc32(data: string | Buffer): number {
  return builtIn.crc32 === undefined ? plainCrc32(Buffer.from(data)) : builtIn.crc32(data)
}

/** CRC-32 as zlib and gzip have it (RFC 1952 §8), for a Node that does not bring it along. */
export function plainCrc32(bytes: Uint8Array): number {
  let sum = 0xffffffff
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1
  }
  return (sum ^ 0xffffffff) >>> 0
}
