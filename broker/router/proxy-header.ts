import { canonicalAddress } from '../terminal.ts'

/** Where a client really dials from, and which port of the proxy it dialled. */
export interface ProxiedFrom {
  address: string
  port: number
  localPort: number
}

export type ParsedProxyHeader =
  | { kind: 'more' }
  | { kind: 'bad' }
  /** `from` is null when the proxy itself is the client: it looks whether we are there (LOCAL). */
  | { kind: 'header'; size: number; from: ProxiedFrom | null }

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

/** The largest addresses and extensions that are read: HAProxy's are far smaller. */
const largestRest = 2048

/**
 * Reads a header of the PROXY protocol, version 2 (haproxy.org, proxy-protocol.txt §2.2), from all bytes so far: the
 * signature, version and command, family and transport, the length of the rest, then addresses and ports. Extensions
 * are skipped. TCP over IPv4 and over IPv6 only.
 */
export function parseProxyHeader(bytes: Buffer): ParsedProxyHeader {
  const known = Math.min(bytes.length, signature.length)
  if (bytes.compare(signature, 0, known, 0, known) !== 0) return { kind: 'bad' }
  if (bytes.length < 16) return { kind: 'more' }
  const command = bytes.readUInt8(12)
  const rest = bytes.readUInt16BE(14)
  if ((command !== 0x20 && command !== 0x21) || rest > largestRest) return { kind: 'bad' }
  if (bytes.length < 16 + rest) return { kind: 'more' }
  const size = 16 + rest
  if (command === 0x20) return { kind: 'header', size, from: null }
  const from = addressesIn(bytes.readUInt8(13), bytes.subarray(16, size))
  return from === undefined ? { kind: 'bad' } : { kind: 'header', size, from }
}

function addressesIn(family: number, bytes: Buffer): ProxiedFrom | undefined {
  const length = { 0x11: 4, 0x21: 16 }[family]
  if (length === undefined || bytes.length < 2 * length + 4) return undefined
  return {
    address: addressText(bytes.subarray(0, length)),
    port: bytes.readUInt16BE(2 * length),
    localPort: bytes.readUInt16BE(2 * length + 2),
  }
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at).toString(16))
  const isMapped = groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff'
  return canonicalAddress(isMapped ? `::ffff:${bytes.subarray(12).join('.')}` : groups.join(':'))
}
