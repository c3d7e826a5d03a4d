import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  connectionConfirm,
  type Greeting,
  largestGreeting,
  negotiationFailure,
  parseGreeting,
} from '../../../broker/router/greeting.ts'
import { blob, request } from './packets.ts'

type Said = Pick<Greeting, 'routingToken' | 'mstshash' | 'pcb' | 'requestedProtocols'>
const said = (changes: Partial<Said>): Said => ({
  routingToken: null,
  mstshash: null,
  pcb: null,
  requestedProtocols: 3,
  ...changes,
})

/** First packets of real clients: xfreerdp 2.11.7 and rdesktop 1.9.0 against a listener. */
const captured: [string, string, Said][] = [
  [
    'xfreerdp with a token in its file',
    '030000322de00000000000436f6f6b69653a206d7374733d416243644566303132333435363738390d0a0100080003000000',
    said({ routingToken: 'Cookie: msts=AbCdEf0123456789' }),
  ],
  [
    'xfreerdp with a user only',
    '0300003732e00000000000436f6f6b69653a206d737473686173683d61766572796c6f6e67757365726e616d650d0a0100080003000000',
    said({ mstshash: 'averylongusername' }),
  ],
  [
    'xfreerdp with a preconnection blob',
    '260000000000000002000000000000000a0054004f004b0045004e00310032003300000000000300002924e00000000000436f6f6b69653a206d737473686173683d626f620d0a0100080003000000',
    said({ pcb: 'TOKEN123', mstshash: 'bob' }),
  ],
  [
    'xfreerdp with a token on the command line',
    '0300002823e00000000000436f6f6b69653a206d7374733d766961434c490d0a0100080003000000',
    said({ routingToken: 'Cookie: msts=viaCLI' }),
  ],
  [
    'xfreerdp that wants TLS only',
    '0300002924e00000000000436f6f6b69653a206d737473686173683d626f620d0a0100080001000000',
    said({ mstshash: 'bob', requestedProtocols: 1 }),
  ],
  [
    'xfreerdp with plain RDP security, which does not negotiate',
    '030000211ce00000000000436f6f6b69653a206d737473686173683d626f620d0a',
    said({ mstshash: 'bob', requestedProtocols: null }),
  ],
  [
    'xfreerdp without a user',
    '0300001e19e00000000000436f6f6b69653a206d737473686173683d0d0a',
    said({ mstshash: '', requestedProtocols: null }),
  ],
  [
    'rdesktop, which sends the local account name',
    '0300002a25e00000000000436f6f6b69653a206d737473686173683d726f6f740d0a0100080003000000',
    said({ mstshash: 'root' }),
  ],
  [
    'rdesktop as an old client',
    '0300002f2ae00000000000436f6f6b69653a206d737473686173683d61766572796c6f6e67757365726e616d650d0a',
    said({ mstshash: 'averylongusername', requestedProtocols: null }),
  ],
]

/** Greetings that the documents allow and we have not seen, made by hand. */
const correlated = `0109080003000000060024000${'1'.repeat(31)}${'0'.repeat(33)}`
const made: [string, string, Said][] = [
  ['nothing but a negotiation', request('', '0100080003000000'), said({})],
  ['nothing at all', request('', ''), said({ requestedProtocols: null })],
  [
    'a collection',
    request('tsv://MS Terminal Services Plugin.1.public\r\n', '0100080003000000'),
    said({ routingToken: 'tsv://MS Terminal Services Plugin.1.public' }),
  ],
  [
    'a domain with its user',
    request('Cookie: mstshash=CORP\\alice\r\n', ''),
    said({ mstshash: 'CORP\\alice', requestedProtocols: null }),
  ],
  [
    'a token with correlation behind it',
    request('Cookie: msts=abc\r\n', correlated),
    said({ routingToken: 'Cookie: msts=abc' }),
  ],
  [
    'a token whose CRLF came twice',
    request('Cookie: msts=abc\r\n\r\n', '0100080001000000'),
    said({ routingToken: 'Cookie: msts=abc', requestedProtocols: 1 }),
  ],
  [
    'a token without its CRLF',
    request('Cookie: msts=abc', '0100080003000000'),
    said({ routingToken: 'Cookie: msts=abc' }),
  ],
  [
    'a token without its CRLF, with correlation',
    request('Cookie: msts=abc', correlated),
    said({ routingToken: 'Cookie: msts=abc' }),
  ],
  [
    'a token alone, without its CRLF',
    request('Cookie: msts=abc', ''),
    said({ routingToken: 'Cookie: msts=abc', requestedProtocols: null }),
  ],
  [
    'the longest token that fits',
    request(`${'A'.repeat(238)}\r\n`, '0100080003000000'),
    said({ routingToken: 'A'.repeat(238) }),
  ],
  [
    'a blob of version 1',
    `1000000000000000010000002a000000${request('', '')}`,
    said({ requestedProtocols: null }),
  ],
  ['a blob without text', blob('') + request('', ''), said({ requestedProtocols: null })],
  [
    'the largest blob',
    blob('x'.repeat(2038)) + request('', ''),
    said({ pcb: 'x'.repeat(2038), requestedProtocols: null }),
  ],
]

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
  const mutated = fc
    .tuple(
      fc.constantFrom(...[...captured, ...made].map(([, hex]) => Buffer.from(hex, 'hex'))),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
      fc.uint8Array({ maxLength: 64 }),
      fc.nat(),
    )
    .map(([original, changes, tail, cut]) => {
      const bytes = Buffer.concat([original, tail])
      for (const [at, value] of changes) bytes.writeUInt8(value, at % bytes.length)
      return cut % 3 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes
    })

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
