import { crc32, deflateSync } from 'node:zlib'

/**
 * A PNG (RFC 2083) of a picture in RGB 565: rows from the top, two bytes a dot, the low one first. What is missing at
 * the end stays black.
 */
export function pngOf565(raw: Uint8Array, { width, height }: { width: number; height: number }): Uint8Array {
  const rows = Buffer.alloc((width * 3 + 1) * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 2
      const dot = ((raw[from + 1] ?? 0) << 8) | (raw[from] ?? 0)
      // The first byte of a row is its filter: none. Five and six bits are spread over eight.
      const to = y * (width * 3 + 1) + 1 + x * 3
      rows[to] = Math.round(((dot >> 11) * 255) / 31)
      rows[to + 1] = Math.round((((dot >> 5) & 63) * 255) / 63)
      rows[to + 2] = Math.round(((dot & 31) * 255) / 31)
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // Eight bits a colour, three colours, the only compression, the only filtering, no interlace.
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const bytes = Buffer.alloc(named.length + 8)
  bytes.writeUInt32BE(body.length, 0)
  bytes.set(named, 4)
  bytes.writeUInt32BE(crc32(named), named.length + 4)
  return bytes
}
