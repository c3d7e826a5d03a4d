import { isIPv6 } from 'node:net'
import { assert, refuse } from '../src/base/errors.ts'
import { hasControl } from '../src/base/text.ts'
import type { PoolRule } from './pool.ts'
import type { TerminalRule } from './terminal.ts'
import { loadBalanceInfo } from './ticket.ts'

/** One line of an RDP file: `name:type:value`, decimal or text. */
export type RdpProperty =
  | { readonly name: string; readonly type: 'i'; readonly value: number }
  | { readonly name: string; readonly type: 's'; readonly value: string }

export interface RdpFacts {
  /** What the client dials, `host` or `host:port`: the router, never the desktop. */
  address: string
  user: string
  domain?: string
  /** The ticket of a lease, or else the words that lead the router to it. */
  ticket?: string
  routing?: string
  /** The pool's `rdp` settings. */
  allowed: PoolRule['rdp']
  /** The kind of terminal that will read the file, when it is known. */
  terminalKind?: TerminalRule['kind'] | null
  /** The site's Remote Desktop Gateway, `host` or `host:port`, where it has one. */
  gateway?: string | null
}

/** The longest login that clients pass on. */
const longestUser = 511

/**
 * The RDP file of a lease, as text with CRLF. What is not allowed is switched off in words, because clients differ in
 * their defaults. Names and values: Microsoft's "Supported RDP properties".
 * @throws Refusal `invalid_input` when a value holds a control character or the address is not one.
 */
export function rdpFile(facts: RdpFacts): string {
  return rdpText(rdpProperties(facts))
}

/** The same as data, in file order, for whoever wants to sign it first. @throws Refusal as `rdpFile`. */
export function rdpProperties(facts: RdpFacts): RdpProperty[] {
  return [
    ...whereAndWho(facts),
    ...security(facts),
    ...through(facts),
    ...redirections(facts),
    ...display(facts),
  ]
}

function whereAndWho({ address, user, domain, ticket, routing }: RdpFacts): RdpProperty[] {
  const dialled = parseAddress(address)
  const whole = `${dialled.host}:${dialled.port}`
  if (user === '' || user.length > longestUser) {
    refuse('invalid_input', `A user name in an RDP file has 1 to ${longestUser} characters.`)
  }
  return [
    text('full address', whole),
    // FreeRDP dials this one when both are there, and somebody could add a different one to a signed file without it.
    text('alternate full address', whole),
    number('server port', dialled.port),
    text('username', user),
    ...(domain === undefined ? [] : [text('domain', domain)]),
    text('loadbalanceinfo', ticket === undefined ? (routing ?? '') : loadBalanceInfo(ticket)),
    // 1 would make mstsc read the token as a server's name.
    number('use redirection server name', 0),
  ]
}

function security({ allowed, terminalKind }: RdpFacts): RdpProperty[] {
  return [
    // Warn, but let in: the client checks the desktop's certificate against the router's name.
    number('authentication level', 2),
    number('negotiate security layer', 1),
    // Windows CE speaks RDP 5.x to 6.0 and knows no CredSSP.
    flag('enablecredsspsupport', allowed.nla && terminalKind !== 'jackpc'),
    number('prompt for credentials', 0),
    number('promptcredentialonce', 1),
    number('autoreconnection enabled', 1),
  ]
}

/** The gateway, whose token comes with each file (credentials source 5); without one, in words, never through any. */
function through({ gateway, terminalKind }: RdpFacts): RdpProperty[] {
  if (gateway === undefined || gateway === null || terminalKind === 'jackpc') {
    return [number('gatewayusagemethod', 0)]
  }
  const { host, port } = parseAddress(gateway, 443)
  return [
    text('gatewayhostname', `${host}:${port}`),
    number('gatewayusagemethod', 1),
    number('gatewayprofileusagemethod', 1),
    number('gatewaycredentialssource', 5),
  ]
}

function redirections({ allowed, terminalKind }: RdpFacts): RdpProperty[] {
  return [
    number('audiomode', audioMode(allowed.audio, terminalKind === 'jackpc')),
    flag('redirectclipboard', allowed.clipboard),
    flag('redirectprinters', allowed.printers),
    flag('redirectdrives', allowed.drives),
    text('drivestoredirect', allowed.drives ? '*' : ''),
    text('devicestoredirect', allowed.devices ? '*' : ''),
    flag('redirectcomports', allowed.ports),
    flag('redirectsmartcards', allowed.smartcards),
    flag('redirectposdevices', false),
  ]
}

/** 0 plays at the terminal, 1 at the desktop; on Windows CE it is the other way round (MSDN aa915001). */
function audioMode(audio: PoolRule['rdp']['audio'], onWindowsCe: boolean): number {
  if (audio === 'none') return 2
  return (audio === 'host') === onWindowsCe ? 0 : 1
}

function display({ allowed }: RdpFacts): RdpProperty[] {
  const { displays, size, colours } = allowed
  return [
    number('screen mode id', displays === 'window' ? 1 : 2),
    flag('use multimon', displays === 'all'),
    ...(size === undefined ? [] : [number('desktopwidth', size.width), number('desktopheight', size.height)]),
    number('dynamic resolution', 1),
    number('session bpp', colours),
    ...appearance,
  ]
}

const appearance: readonly RdpProperty[] = [
  number('compression', 1),
  number('connection type', 7),
  number('networkautodetect', 1),
  number('bandwidthautodetect', 1),
  number('disable wallpaper', 1),
  number('allow font smoothing', 0),
  number('allow desktop composition', 0),
  number('disable full window drag', 1),
  number('disable menu anims', 1),
  number('disable themes', 0),
  number('disable cursor setting', 0),
]

function text(name: string, value: string): RdpProperty {
  return { name, type: 's', value }
}

function number(name: string, value: number): RdpProperty {
  return { name, type: 'i', value }
}

function flag(name: string, on: boolean): RdpProperty {
  return number(name, on ? 1 : 0)
}

/** Properties as lines with CRLF. A line end inside a value would start a property of its own: it is refused. */
export function rdpText(properties: readonly RdpProperty[]): string {
  const names = new Set(properties.map(({ name }) => name.toLowerCase()))
  assert(
    names.size === properties.length,
    'an RDP file names a property once: readers differ in which one wins',
  )
  return properties.map((property) => `${line(property)}\r\n`).join('')
}

function line({ name, type, value }: RdpProperty): string {
  if (typeof value === 'string' && hasControl(value)) {
    refuse('invalid_input', `The ${name} of an RDP file cannot hold a control character.`)
  }
  return `${name}:${type}:${value}`
}

export const rdpEncodings = ['utf-16le', 'utf-8'] as const
export type RdpEncoding = (typeof rdpEncodings)[number]

/**
 * The bytes of an RDP file. UTF-16LE with its mark is what Windows writes; UTF-8 goes without one, since FreeRDP loses
 * the first line to it.
 */
export function encodeRdp(rdp: string, encoding: RdpEncoding): Buffer {
  return encoding === 'utf-16le' ? Buffer.from(`\ufeff${rdp}`, 'utf16le') : Buffer.from(rdp, 'utf8')
}

/** Which of the two a client reads best: by what kind of terminal it is, else by what its browser calls itself. */
export function encodingFor(client: {
  kind?: TerminalRule['kind'] | null
  userAgent?: string | undefined
}): RdpEncoding {
  const { kind, userAgent = '' } = client
  if (kind === 'thinstation' || kind === 'igel') return 'utf-8'
  if (kind === 'jackpc' || kind === 'wyse') return 'utf-16le'
  return /Linux|X11|Android|Mac OS|iPhone|iPad/.test(userAgent) ? 'utf-8' : 'utf-16le'
}

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
const dialable = new RegExp(
  `^(?<host>${label}(\\.${label})*|\\[(?<six>[0-9a-f:.]+)\\])(:(?<port>[0-9]{1,5}))?$`,
  'i',
)

function parseAddress(address: string, usualPort = 3389): { host: string; port: number } {
  const { host = '', six, port = String(usualPort) } = dialable.exec(address)?.groups ?? {}
  const fits = host !== '' && host.length <= 253 && (six === undefined || isIPv6(six))
  if (!fits || Number(port) < 1 || Number(port) > 65_535) {
    refuse(
      'invalid_input',
      'An RDP file dials a host name or an address, with a port: "rdp.example.org:3389".',
    )
  }
  return { host, port: Number(port) }
}
