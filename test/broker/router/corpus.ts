import fc from 'fast-check'
import type { Greeting } from '../../../broker/router/greeting.ts'
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
export const captured: [string, string, Said][] = [
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
export const made: [string, string, Said][] = [
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

/** One of them, or what is left of it after bytes were changed, added or cut off. */
export const mutated: fc.Arbitrary<Buffer> = fc
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
