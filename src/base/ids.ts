import { randomBytes } from 'node:crypto'
import { type Instant, millis } from './clock.ts'

/** Where ids and secrets come from. Handed in, so that a test or a simulation can replay exactly. */
export interface Ids {
  /** An id that is unique in the site, such as `L-0m4k2v8s7k2m9qx4`: later ids sort after earlier ones. */
  next(prefix: string, at: Instant): string
  /** Unguessable text: `bytes` of randomness in base64url. */
  secret(bytes: number): string
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz' // Crockford base32: nothing that is misread aloud.

/** Time in 9 digits of base32 (good past the year 3000), then 7 digits of chance. */
export function idText(prefix: string, at: Instant, chance: Uint8Array): string {
  let time = millis(at)
  let digits = ''
  for (let i = 0; i < 9; i++) {
    digits = (alphabet[time % 32] ?? '0') + digits
    time = Math.floor(time / 32)
  }
  return `${prefix}-${digits}${Array.from(chance, (byte) => alphabet[byte % 32]).join('')}`
}

/** Chance drawn ahead for ids, since asking the system for a few bytes costs as much as for many. */
const drawn = { bytes: Buffer.alloc(0), used: 0 }

function chance(count: number): Uint8Array {
  if (drawn.used + count > drawn.bytes.length) Object.assign(drawn, { bytes: randomBytes(4096), used: 0 })
  drawn.used += count
  return drawn.bytes.subarray(drawn.used - count, drawn.used)
}

export const randomIds: Ids = {
  next: (prefix, at) => idText(prefix, at, chance(7)),
  secret: (bytes) => randomBytes(bytes).toString('base64url'),
}
