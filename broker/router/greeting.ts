import { hasControl } from '../../src/base/text.ts'

/** What a client says before it hears anything: an optional preconnection blob and one X.224 Connection Request. */
export interface Greeting {
  kind: 'greeting'
  /** The routing token, verbatim without its CRLF: `Cookie: msts=…` or `tsv://…`. */
  routingToken: string | null
  /** The user name or code in `Cookie: mstshash=`, which comes instead of a token. Nobody vouches for it. */
  mstshash: string | null
  /** The text of the preconnection blob. */
  pcb: string | null
  /** The security protocols it offers (MS-RDPBCGR 2.2.1.1.1); null when it does not negotiate. */
  requestedProtocols: number | null
  /** The Connection Request as it came, without the blob: what the desktop is to be sent. */
  request: Buffer
  /** Whatever came after it. */
  rest: Buffer
}

export type GreetingFault =
  'bad_preconnection' | 'not_tpkt' | 'bad_length' | 'not_a_connection_request' | 'control_characters'

export type ParsedGreeting = { kind: 'more' } | { kind: 'bad'; reason: GreetingFault } | Greeting

/** The largest preconnection blob that is read. The format allows 4 GiB, real ones hold an id or a token. */
const largestBlob = 4096
/** TPKT header, length byte and the 254 bytes that it can say (X.224 §13.2.1). */
const largestRequest = 4 + 1 + 254
/** TPKT header and the seven fixed bytes of a Connection Request. */
const fixed = 11

/** The most bytes of a greeting that are ever looked at; a client that has sent more is answered one way or the other. */
export const largestGreeting = largestBlob + largestRequest

/**
 * Reads the start of an RDP connection (MS-RDPEPS 2.2.1, MS-RDPBCGR 2.2.1.1) from all bytes that have come so far.
 * No length in it is believed before it is checked against the bound of its part.
 */
export function parseGreeting(bytes: Buffer): ParsedGreeting {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return { kind: 'more' }
  // A TPKT starts with 03 00. A blob cannot: its size would be 3, or past the bound.
  if (first === 3 && second === 0) return parseRequest(bytes, null)
  const blob = parseBlob(bytes)
  if (blob.kind !== 'blob') return blob
  return parseRequest(bytes.subarray(blob.size), blob.text)
}

type ParsedBlob =
  | { kind: 'more' }
  | { kind: 'bad'; reason: GreetingFault }
  | { kind: 'blob'; size: number; text: string | null }

/** RDP_PRECONNECTION_PDU_V1 (16 bytes) or _V2 (with a counted UTF-16 text), MS-RDPEPS 2.2.1.1 and 2.2.1.2. */
function parseBlob(bytes: Buffer): ParsedBlob {
  if (bytes.length < 4) return { kind: 'more' }
  const size = bytes.readUInt32LE(0)
  if (size < 16 || size > largestBlob) return { kind: 'bad', reason: 'bad_preconnection' }
  if (bytes.length < 12) return { kind: 'more' }
  const version = bytes.readUInt32LE(8)
  if ((version !== 1 && version !== 2) || (version === 2 && size < 18)) {
    return { kind: 'bad', reason: 'bad_preconnection' }
  }
  if (bytes.length < size) return { kind: 'more' }
  if (version === 1) return { kind: 'blob', size, text: null }
  const end = 18 + 2 * bytes.readUInt16LE(16)
  if (end > size) return { kind: 'bad', reason: 'bad_preconnection' }
  // Clients count their terminating zeros, some of them two.
  const text = bytes.toString('utf16le', 18, end).replace(/\0+$/, '')
  if (hasControl(text)) return { kind: 'bad', reason: 'control_characters' }
  return { kind: 'blob', size, text: text === '' ? null : text }
}

/** TPKT (RFC 1006 §6) around an X.224 Connection Request (class 0) with its optional cookie and negotiation request. */
function parseRequest(bytes: Buffer, pcb: string | null): ParsedGreeting {
  if (bytes.length < 4) return startsTpkt(bytes) ? { kind: 'more' } : { kind: 'bad', reason: 'not_tpkt' }
  if (!startsTpkt(bytes)) return { kind: 'bad', reason: 'not_tpkt' }
  const size = bytes.readUInt16BE(2)
  if (size < fixed || size > largestRequest) return { kind: 'bad', reason: 'bad_length' }
  // The length byte wraps in clients whose token is too long; the two lengths then disagree, and servers hang up.
  if (bytes.length > 4 && bytes[4] !== size - 5) return { kind: 'bad', reason: 'bad_length' }
  if (bytes.length > 5 && bytes[5] !== 0xe0) return { kind: 'bad', reason: 'not_a_connection_request' }
  if (bytes.length < size) return { kind: 'more' }
  const { text, tail } = splitVariable(bytes.subarray(fixed, size))
  if (hasControl(text)) return { kind: 'bad', reason: 'control_characters' }
  const mstshash = /^Cookie: mstshash=(.*)$/i.exec(text)?.[1] ?? null
  return {
    kind: 'greeting',
    routingToken: mstshash === null && text !== '' ? text : null,
    mstshash,
    pcb,
    requestedProtocols: isNegotiation(tail) ? tail.readUInt32LE(4) : null,
    request: bytes.subarray(0, size),
    rest: bytes.subarray(size),
  }
}

function startsTpkt(bytes: Buffer): boolean {
  return [3, 0].every((expected, at) => bytes.length <= at || bytes[at] === expected)
}

/** A cookie or token up to its CRLF, and what follows. Some clients double the CRLF, some leave it out. */
function splitVariable(variable: Buffer): { text: string; tail: Buffer } {
  if (isNegotiation(variable)) return { text: '', tail: variable }
  const end = variable.indexOf('\r\n')
  if (end >= 0) {
    const tail = variable.subarray(end + 2)
    const doubled = tail.subarray(0, 2).equals(Buffer.from('\r\n'))
    return { text: variable.toString('utf8', 0, end), tail: doubled ? tail.subarray(2) : tail }
  }
  const tail = [44, 8].map((size) => variable.subarray(-size)).find(isNegotiation) ?? Buffer.alloc(0)
  return { text: variable.toString('utf8', 0, variable.length - tail.length), tail }
}

/** RDP_NEG_REQ (8 bytes), alone or before 36 bytes of RDP_NEG_CORRELATION_INFO (MS-RDPBCGR 2.2.1.1.1, 2.2.1.1.2). */
function isNegotiation(bytes: Buffer): boolean {
  const alone = bytes.length === 8
  const correlated = bytes.length === 44 && bytes[8] === 6
  return (alone || correlated) && bytes[0] === 1 && bytes.readUInt16LE(2) === 8
}

/**
 * HYBRID_REQUIRED_BY_SERVER. No code says "there is nothing for you here"; of those there are this one and
 * SSL_WITH_USER_AUTH_REQUIRED never tempt a client to come again with weaker security, as 2 and 3 do, and clients know
 * this one. FreeRDP 2.11 stops after three dials with "security negotiation failed".
 */
export const refusedCode = 5

/** A Connection Confirm that says no: RDP_NEG_FAILURE (MS-RDPBCGR 2.2.1.2.2). */
export function negotiationFailure(code: number = refusedCode): Buffer {
  return confirm(3, code)
}

/** A Connection Confirm that selects a protocol (MS-RDPBCGR 2.2.1.2.1), or none for a client that does not negotiate. */
export function connectionConfirm(protocol: number | null): Buffer {
  return protocol === null ? Buffer.from('0300000b06d00000123400', 'hex') : confirm(2, protocol)
}

function confirm(type: number, value: number): Buffer {
  const bytes = Buffer.from('030000130ed000001234000000080000000000', 'hex')
  bytes.writeUInt8(type, 11)
  bytes.writeUInt32LE(value, 15)
  return bytes
}
