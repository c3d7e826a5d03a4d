/** A Connection Request around a cookie or token and the bytes (hex) of a negotiation request; hex. */
export function request(text: string, negotiation: string): string {
  const variable = Buffer.concat([Buffer.from(text), Buffer.from(negotiation, 'hex')])
  const head = Buffer.from('0300000000e00000000000', 'hex')
  head.writeUInt16BE(head.length + variable.length, 2)
  head.writeUInt8(head.length + variable.length - 5, 4)
  return Buffer.concat([head, variable]).toString('hex')
}

/** A preconnection blob of version 2 around a text, zero at its end; hex. */
export function blob(text: string): string {
  const wide = Buffer.from(`${text}\0`, 'utf16le')
  const head = Buffer.alloc(18)
  head.writeUInt32LE(18 + wide.length, 0)
  head.writeUInt32LE(2, 8)
  head.writeUInt16LE(text.length + 1, 16)
  return Buffer.concat([head, wide]).toString('hex')
}
