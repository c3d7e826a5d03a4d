import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseProxyHeader } from '../../../broker/router/proxy-header.ts'
import { request } from './packets.ts'

const signature = '0d0a0d0a000d0a515549540a'
const ipv4 = `${signature}2111000cc0000207c6336401d3e80d3d`
const ipv6 = `${signature}21210024${'20010db8'.padEnd(31, '0')}1${'20010db8'.padEnd(31, '0')}2d3e80d3d`
const extended = `${signature}21110017c0000207c6336401d3e80d3d030004deadbeef04000100`
const check = `${signature}20000000`

describe('a header of the PROXY protocol', () => {
  test.each([
    ['IPv4', ipv4, { address: '192.0.2.7', port: 54_248, localPort: 3389 }],
    ['IPv6', ipv6, { address: '2001:db8::1', port: 54_248, localPort: 3389 }],
    ['IPv4 with extensions', extended, { address: '192.0.2.7', port: 54_248, localPort: 3389 }],
    [
      'IPv4 written as IPv6',
      `${signature}21210024${'0'.repeat(20)}ffffc0000207${'0'.repeat(20)}ffffc633640100010002`,
      { address: '192.0.2.7', port: 1, localPort: 2 },
    ],
    ['a look at whether we are there', check, null],
  ])('is read: %s', (_, hex, from) => {
    const bytes = Buffer.from(hex, 'hex')
    const size = bytes.length

    expect(parseProxyHeader(Buffer.concat([bytes, Buffer.from('0300')]))).toEqual({
      kind: 'header',
      size,
      from,
    })
    for (let length = 0; length < size; length++) {
      expect(parseProxyHeader(bytes.subarray(0, length))).toEqual({ kind: 'more' })
    }
  })

  test.each([
    ['version 1', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 54248 3389\r\n').toString('hex')],
    ['no header at all', request('', '')],
    ['another version', `${signature}3111000c`],
    ['another command', `${signature}2211000c`],
    ['UDP', `${signature}2112000cc0000207c6336401d3e80d3d`],
    ['no family', `${signature}2100000cc0000207c6336401d3e80d3d`],
    ['addresses that are too short', `${signature}2111000bc0000207c6336401d3e80d`],
    ['a rest past the bound', `${signature}2111ffff`],
  ])('is refused: %s', (_, hex) => {
    expect(parseProxyHeader(Buffer.from(hex, 'hex'))).toEqual({ kind: 'bad' })
  })

  test('never throws and never asks for more than its bound', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (tail) => {
        const bytes = Buffer.concat([Buffer.from(signature, 'hex'), tail, Buffer.alloc(2100)])
        expect(parseProxyHeader(bytes).kind).not.toBe('more')
      }),
      { numRuns: 2_000 },
    )
  })
})
