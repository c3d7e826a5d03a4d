import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** What we keep of a secret in order to recognise it: SHA-256 in base64url. Only for secrets with 128 bits or more. */
export function fingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/** A keyed seal (HMAC-SHA256, RFC 2104) over a text, in base64url. */
export function seal(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** Compares two texts in a time that does not tell where they differ. */
export function sameSecret(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(fingerprint(a)), Buffer.from(fingerprint(b))]
  return timingSafeEqual(left, right)
}
