import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  connectionConfirm,
  largestGreeting,
  negotiationFailure,
  parseGreeting,
} from '../../../broker/router/greeting.ts'
import { captured, made, mutated } from './corpus.ts'
import { blob, request } from './packets.ts'

describe('a greeting is read', () => {
  test.each([...captured, ...made])('%s', (_, hex, expected) => {
    const bytes = Buffer.from(hex, 'hex')
    const parsed = parseGreeting(Buffer.concat([bytes, Buffer.from('and more')]))

    expect(parsed).toMatchObject({ kind: 'greeting', ...expected })
    if (parsed.kind !== 'greeting') return
    expect(parsed.rest.toString()).toBe('and more')
    expect(bytes.toString('hex').endsWith(parsed.request.toString('hex'))).toBe(true)
    expect(parsed.request[0]).toBe(3)
  })

  test.each([...captured, ...made])('however it is cut in pieces: %s', (_, hex, expected) => {
    const bytes = Buffer.from(hex, 'hex')

    for (let length = 0; length < bytes.length; length++) {
      expect(parseGreeting(bytes.subarray(0, length))).toEqual({ kind: 'more' })
    }
    expect(parseGreeting(bytes)).toMatchObject(expected)
  })
})

describe('a greeting is refused', () => {
  test.each([
    ['text of another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex'), 'bad_preconnection'],
    ['a TLS hello', '160301020001000001fc0303', 'bad_preconnection'],
    ['a blob smaller than its header', '0f0000000000000001000000', 'bad_preconnection'],
    ['a blob past the bound', '0110000000000000020000000000000000', 'bad_preconnection'],
    ['a blob of 4 GiB', 'ffffffff', 'bad_preconnection'],
    ['a blob of version 3', '100000000000000003000000', 'bad_preconnection'],
    ['a blob of version 2 without room for its count', '100000000000000002000000', 'bad_preconnection'],
    [
      'a blob whose text is longer than itself',
      '14000000000000000200000000000000ffff4100',
      'bad_preconnection',
    ],
    ['a blob with a line end', blob('a\nb'), 'control_characters'],
    ['two blobs', blob('a') + blob('b'), 'not_tpkt'],
    ['a blob and then text', blob('a') + Buffer.from('GET /').toString('hex'), 'not_tpkt'],
    ['a request that is too short', '0300000a', 'bad_length'],
    ['a request that is too long', '03000104', 'bad_length'],
    ['a length byte that has wrapped', '0300010500e0', 'bad_length'],
    ['a length byte that disagrees', '0300002d2ee0', 'bad_length'],
    ['a reserved length byte', '03000104ffe0', 'bad_length'],
    ['a Connection Confirm', '0300000b06d0', 'not_a_connection_request'],
    ['data', '0300000702f080', 'bad_length'],
    ['a token with a control character', request('Cookie: msts=a\u001bb\r\n', ''), 'control_characters'],
    ['a token with a lone line feed', request('Cookie: msts=a\nb\r\n', ''), 'control_characters'],
  ])('%s', (_, hex, reason) => {
    expect(parseGreeting(Buffer.from(hex, 'hex'))).toEqual({ kind: 'bad', reason })
  })
})

describe('mutated greetings', () => {
  test('never throw, and what is read of one is a part of it', () => {
    fc.assert(
      fc.property(mutated, (bytes) => {
        const parsed = parseGreeting(bytes)
        if (parsed.kind !== 'greeting') return
        expect(bytes.subarray(-parsed.rest.length - parsed.request.length).toString('hex')).toBe(
          parsed.request.toString('hex') + parsed.rest.toString('hex'),
        )
        expect(parsed.request.length).toBe(parsed.request.readUInt16BE(2))
      }),
      { numRuns: 2_000 },
    )
  })

  test('give the same answer once they have one, whatever comes after', () => {
    fc.assert(
      fc.property(mutated, fc.uint8Array({ maxLength: 32 }), (bytes, more) => {
        const before = parseGreeting(bytes)
        const after = parseGreeting(Buffer.concat([bytes, more]))
        if (before.kind === 'more') return
        expect({ ...after, rest: null }).toEqual({ ...before, rest: null })
      }),
      { numRuns: 2_000 },
    )
  })

  test('never ask for more than the largest greeting', () => {
    fc.assert(
      fc.property(mutated, (bytes) => {
        const filled = Buffer.concat([bytes, Buffer.alloc(largestGreeting)])
        expect(parseGreeting(filled).kind).not.toBe('more')
      }),
    )
  })
})

test('answers are as long as their header says, and carry their value', () => {
  expect(negotiationFailure().toString('hex')).toBe('030000130ed000001234000300080005000000')
  expect(negotiationFailure(2).toString('hex')).toBe('030000130ed000001234000300080002000000')
  expect(connectionConfirm(1).toString('hex')).toBe('030000130ed000001234000200080001000000')
  expect(connectionConfirm(null).toString('hex')).toBe('0300000b06d00000123400')
})
