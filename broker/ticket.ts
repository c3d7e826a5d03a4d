import { fingerprint, seal } from '../src/base/seal.ts'

/**
 * The words that carry a ticket through an unmodified client: `loadbalanceinfo` of an RDP file goes out verbatim as the
 * routing token of the first packet (MS-RDPBCGR 2.2.1.1), here in its cookie form.
 */
const prefix = 'Cookie: msts='

/** A whole HMAC-SHA256 in base64url. With the 13 characters of the prefix it makes 56: even, as some clients need. */
export const ticketLength = 43

const shape = new RegExp(`^[A-Za-z0-9_-]{${ticketLength}}$`)

/**
 * The token of a lease: opaque, unguessable, and the same each time, so that a second file for the same lease can be
 * written though the token itself is kept nowhere.
 */
export function ticketFor(siteKey: string, lease: { id: string; nonce: string }): string {
  return seal(siteKey, `rdp-ticket\n${lease.id}\n${lease.nonce}`)
}

/** What is kept of a ticket, in `Lease.ticket`. */
export function fingerprintOf(ticket: string): string {
  return fingerprint(ticket)
}

/** The text of `loadbalanceinfo`. Clients add the CRLF themselves. */
export function loadBalanceInfo(ticket: string): string {
  return `${prefix}${ticket}`
}

/** The ticket in a routing token or a preconnection blob; nothing when the text cannot be one of ours. */
export function ticketIn(text: string | null): string | undefined {
  if (text === null) return undefined
  const token = text.startsWith(prefix) ? text.slice(prefix.length) : text
  return shape.test(token) ? token : undefined
}

const codeAlphabet = '23456789abcdefghjkmnpqrstvwxyz'

/**
 * What somebody types as user name where a client can carry nothing else: eight characters, which mstsc does not cut. It
 * leads to the lease and opens nothing: the desktop asks who is there. Known to whoever was offered the lease.
 */
export function shortCodeOf(lease: { id: string; nonce: string }): string {
  const digest = Buffer.from(seal(lease.nonce, `rdp-code\n${lease.id}`), 'base64url')
  return Array.from(digest.subarray(0, 8), (byte) => codeAlphabet[byte % codeAlphabet.length]).join('')
}

/** The pool that a thin client asks for by its collection name: `tsv://MS Terminal Services Plugin.1.POOL`. */
export function poolIn(text: string | null): string | undefined {
  return text === null ? undefined : /^tsv:\/\/MS Terminal Services Plugin\.1\.(.{1,64})$/i.exec(text)?.[1]
}
