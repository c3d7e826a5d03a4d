import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import {
  encodeRdp,
  encodingFor,
  rdpFile,
  rdpProperties,
  rdpText,
  type RdpFacts,
} from '../../broker/rdp-file.ts'
import { ticketFor } from '../../broker/ticket.ts'
import { hasControl } from '../../src/base/text.ts'
import { aPool } from './samples.ts'

const ticket = ticketFor('key', { id: 'L-1', nonce: 'n1' })
const facts = (changes: Partial<RdpFacts> = {}): RdpFacts => ({
  address: 'rdp.example.org:3389',
  user: 'alice',
  ticket,
  allowed: aPool().rdp,
  ...changes,
})
const valueOf = (name: string, changes: Partial<RdpFacts> = {}): unknown =>
  rdpProperties(facts(changes)).find((property) => property.name === name)?.value

const golden = `full address:s:rdp.example.org:3389
alternate full address:s:rdp.example.org:3389
server port:i:3389
username:s:alice
loadbalanceinfo:s:Cookie: msts=${ticket}
use redirection server name:i:0
authentication level:i:2
negotiate security layer:i:1
enablecredsspsupport:i:1
prompt for credentials:i:0
promptcredentialonce:i:1
autoreconnection enabled:i:1
gatewayusagemethod:i:0
audiomode:i:0
redirectclipboard:i:0
redirectprinters:i:0
redirectdrives:i:0
drivestoredirect:s:
devicestoredirect:s:
redirectcomports:i:0
redirectsmartcards:i:0
redirectposdevices:i:0
screen mode id:i:2
use multimon:i:0
dynamic resolution:i:1
session bpp:i:32
compression:i:1
connection type:i:7
networkautodetect:i:1
bandwidthautodetect:i:1
disable wallpaper:i:1
allow font smoothing:i:0
allow desktop composition:i:0
disable full window drag:i:1
disable menu anims:i:1
disable themes:i:0
disable cursor setting:i:0
`

describe('the text', () => {
  test('of an office desktop is as kept here, with CRLF', () => {
    expect(rdpFile(facts())).toBe(golden.replaceAll('\n', '\r\n'))
  })

  test.each<[string, Partial<RdpFacts>, string, unknown]>([
    [
      'the clipboard when the pool allows it',
      { allowed: { ...aPool().rdp, clipboard: true } },
      'redirectclipboard',
      1,
    ],
    [
      'printers when the pool allows them',
      { allowed: { ...aPool().rdp, printers: true } },
      'redirectprinters',
      1,
    ],
    [
      'drives when the pool allows them',
      { allowed: { ...aPool().rdp, drives: true } },
      'drivestoredirect',
      '*',
    ],
    ['drives to old clients', { allowed: { ...aPool().rdp, drives: true } }, 'redirectdrives', 1],
    ['sound at the desktop', { allowed: { ...aPool().rdp, audio: 'host' } }, 'audiomode', 1],
    ['no sound', { allowed: { ...aPool().rdp, audio: 'none' } }, 'audiomode', 2],
    ['sound at a Jack PC, where the numbers are swapped', { terminalKind: 'jackpc' }, 'audiomode', 1],
    [
      'sound at the desktop of a Jack PC',
      { terminalKind: 'jackpc', allowed: { ...aPool().rdp, audio: 'host' } },
      'audiomode',
      0,
    ],
    ['no CredSSP to a Jack PC', { terminalKind: 'jackpc' }, 'enablecredsspsupport', 0],
    [
      'no CredSSP to desktops without it',
      { allowed: { ...aPool().rdp, nla: false } },
      'enablecredsspsupport',
      0,
    ],
    ['ports when the pool allows them', { allowed: { ...aPool().rdp, ports: true } }, 'redirectcomports', 1],
    [
      'smart cards when the pool allows them',
      { allowed: { ...aPool().rdp, smartcards: true } },
      'redirectsmartcards',
      1,
    ],
    [
      'devices when the pool allows them',
      { allowed: { ...aPool().rdp, devices: true } },
      'devicestoredirect',
      '*',
    ],
    ['all screens', { allowed: { ...aPool().rdp, displays: 'all' } }, 'use multimon', 1],
    ['a window', { allowed: { ...aPool().rdp, displays: 'window' } }, 'screen mode id', 1],
    ['a size', { allowed: { ...aPool().rdp, size: { width: 1280, height: 800 } } }, 'desktopheight', 800],
    ['fewer colours', { allowed: { ...aPool().rdp, colours: 16 } }, 'session bpp', 16],
    ['a gateway on its usual port', { gateway: 'gw.example.org' }, 'gatewayhostname', 'gw.example.org:443'],
    ['the token of a gateway for a password', { gateway: 'gw.example.org' }, 'gatewaycredentialssource', 5],
    [
      'no gateway to a Jack PC',
      { gateway: 'gw.example.org', terminalKind: 'jackpc' },
      'gatewayusagemethod',
      0,
    ],
    ['a domain', { domain: 'CERN' }, 'domain', 'CERN'],
    ['the usual port', { address: 'rdp.example.org' }, 'full address', 'rdp.example.org:3389'],
    ['another port', { address: '10.0.0.1:13389' }, 'server port', 13389],
    ['an IPv6 address', { address: '[2001:db8::1]:3389' }, 'alternate full address', '[2001:db8::1]:3389'],
  ])('gives %s', (_, changes, name, value) => {
    expect(valueOf(name, changes)).toBe(value)
  })
})

describe('what is refused', () => {
  test.each([
    ['a line end in the user', { user: 'alice\r\nalternate shell:s:calc.exe' }],
    ['a lone line feed in the user', { user: 'alice\nx:i:1' }],
    ['a Unicode line separator in the user', { user: 'alice\u2028x' }],
    ['a NUL in the domain', { domain: 'CERN\0' }],
    ['a user without a name', { user: '' }],
    ['a user of endless length', { user: 'a'.repeat(512) }],
    ['an address with a line end', { address: 'vm1\nalternate shell:s:calc.exe' }],
    ['an address with a blank', { address: 'vm1 vm2' }],
    ['an address that looks like an option', { address: '/v:evil' }],
    ['an address with a bare IPv6', { address: '2001:db8::1' }],
    ['an address with a wrong IPv6', { address: '[1::2::3]:3389' }],
    ['an address without a host', { address: ':3389' }],
    ['a port past the last', { address: 'vm1:65536' }],
    ['port zero', { address: 'vm1:0' }],
  ])('%s', (_, changes) => {
    expect(() => rdpFile(facts(changes))).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })

  test('whatever people are called, each line of a file is one that we meant to write', () => {
    const names = rdpProperties(facts({ domain: 'CERN' })).map(({ name }) => name)
    const weird = fc.string({
      unit: fc.oneof(fc.string({ unit: 'binary', maxLength: 1 }), fc.constantFrom('\r', '\n', ':', '/')),
      minLength: 1,
      maxLength: 20,
    })
    fc.assert(
      fc.property(weird, weird, (user, domain) => {
        fc.pre(user !== '')
        const write = (): string => rdpFile(facts({ user, domain }))
        if (hasControl(user + domain)) {
          expect(write).toThrow(expect.objectContaining({ code: 'invalid_input' }))
        } else {
          expect(
            write()
              .split('\r\n')
              .map((line) => line.split(':')[0]),
          ).toEqual([...names, ''])
        }
      }),
    )
  })

  test('a property that comes twice is our own mistake', () => {
    const twice = [
      ...rdpProperties(facts()),
      { name: 'Full Address', type: 's' as const, value: 'elsewhere' },
    ]

    expect(() => rdpText(twice)).toThrow(expect.objectContaining({ code: 'ERR_ASSERTION' }))
  })
})

test.each([
  ['utf-8', 'thinstation', undefined],
  ['utf-8', 'igel', 'Mozilla/5.0 (Windows NT 10.0)'],
  ['utf-16le', 'jackpc', 'Mozilla/4.0 (compatible; MSIE 6.0; Windows CE)'],
  ['utf-16le', 'browser', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)'],
  ['utf-8', 'browser', 'Mozilla/5.0 (X11; Linux x86_64)'],
  ['utf-8', null, 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)'],
  ['utf-16le', null, undefined],
] as const)('%s is for %s that calls itself %s', (encoding, kind, userAgent) => {
  expect(encodingFor({ kind, userAgent })).toBe(encoding)
})

test('the routing token has an even length of at most 128 bytes', () => {
  const token = String(valueOf('loadbalanceinfo'))

  expect(Buffer.byteLength(token)).toBeLessThanOrEqual(128)
  expect(Buffer.byteLength(token) % 2).toBe(0)
})

test('UTF-16 starts with its mark, as Windows writes it, and UTF-8 has none, as FreeRDP wants it', () => {
  const text = rdpFile(facts({ user: 'zoë' }))

  const [wide, narrow] = [encodeRdp(text, 'utf-16le'), encodeRdp(text, 'utf-8')]

  expect(wide.subarray(0, 6).toString('hex')).toBe('fffe66007500')
  expect(wide.subarray(2).toString('utf16le')).toBe(text)
  expect(narrow.subarray(0, 2).toString()).toBe('fu')
  expect(narrow.toString('utf8')).toBe(text)
})

describe('beside node-rdp', () => {
  let folder = ''
  let theirs = new Map<string, string>()
  const ours = new Map(rdpProperties(facts()).map(({ name, type, value }) => [name, `${type}:${value}`]))

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'node-rdp-'))
    // It writes into the folder for temporary files, under a name that anybody can guess.
    vi.stubEnv('TMPDIR', folder)
    const render: unknown = createRequire(import.meta.url)('node-rdp/lib/rdp-file')
    const buildRdpFile = z
      .custom<(options: { address: string }) => PromiseLike<string>>((value) => typeof value === 'function')
      .parse(render)
    const path = await buildRdpFile({ address: 'rdp.example.org:3389' })
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    theirs = new Map(lines.map((line) => [line.split(':')[0] ?? '', line.split(':').slice(1).join(':')]))
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })

  const differing: Record<string, [string | undefined, string]> = {
    redirectprinters: ['i:0', 'off unless the pool allows it; there it is on'],
    redirectsmartcards: ['i:0', 'no pool setting allows it; there it is on'],
    redirectclipboard: ['i:0', 'off unless the pool allows it; there it is on'],
    audiocapturemode: [undefined, 'its place in a signature is disputed; clients leave it off'],
    'alternate shell': [undefined, 'a leased desktop starts nothing else, and empty is the default'],
    'shell working directory': [undefined, 'goes with the shell'],
  }

  test.each([
    'full address',
    'autoreconnection enabled',
    'screen mode id',
    'session bpp',
    'compression',
    'connection type',
    'networkautodetect',
    'bandwidthautodetect',
    'disable wallpaper',
    'allow font smoothing',
    'allow desktop composition',
    'disable full window drag',
    'disable menu anims',
    'disable themes',
    'disable cursor setting',
    'audiomode',
    'redirectcomports',
    'devicestoredirect',
    'drivestoredirect',
    'redirectposdevices',
  ])('%s says the same', (name) => {
    expect(ours.get(name)).toBe(theirs.get(name))
  })

  test.each(Object.entries(differing).map(([name, [value, why]]) => ({ name, value, why })))(
    '$name differs: $why',
    ({ name, value }) => {
      expect(theirs.has(name)).toBe(true)
      expect(ours.get(name)).toBe(value)
      expect(ours.get(name)).not.toBe(theirs.get(name))
    },
  )

  test('no property of it was forgotten', () => {
    expect([...theirs.keys()].filter((name) => !ours.has(name) && differing[name] === undefined)).toEqual([])
  })
})
