import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Outage, Refusal } from '../../src/base/errors.ts'
import type { ReadBuffers } from './buffers.ts'
import { type DesktopLeg, dialDesktop } from './desktop-leg.ts'
import { type Greeting, negotiationFailure, parseGreeting } from './greeting.ts'
import { parseProxyHeader, type ProxiedFrom } from './proxy-header.ts'
import type { Connection, Target } from './sessions.ts'

/** How long a client that was turned away may take to read why. */
const farewellMillis = 1_000

/** A dial that came to nothing; `outcome` is what is counted. */
export class Turned extends Error {
  override readonly name = 'Turned'
  readonly outcome: string

  constructor(outcome: string, detail = outcome, cause?: unknown) {
    super(detail, { cause })
    this.outcome = outcome
  }
}

/** What a failed dial is counted as. Anything that nobody foresaw is `failed`. */
export function outcomeOf(error: unknown): string {
  if (error instanceof Turned) return error.outcome
  return error instanceof Refusal || error instanceof Outage ? error.code : 'failed'
}

/** What a client said first, and where it comes from when a proxy says so for it. */
export interface Opening {
  greeting: Greeting
  from: ProxiedFrom | null
}

/**
 * Reads a client's greeting and then lets it wait. From a trusted proxy a header of the PROXY protocol comes first.
 * @throws Turned `greeting_timeout`, `client_left`, `bad_proxy_header`, `health_check` when a proxy only wanted to know
 * whether we are there, or what is wrong with the greeting.
 */
export function readGreeting(
  client: Socket,
  { limitMillis, proxied }: { limitMillis: number; proxied: boolean },
): Promise<Opening> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0)
    const timer = setTimeout(() => fail('greeting_timeout'), limitMillis)
    function read(chunk: Buffer): void {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
      const parsed = parseOpening(bytes, proxied)
      if (parsed === 'more') return
      if (typeof parsed === 'string') {
        fail(parsed)
        return
      }
      stop()
      resolve(parsed)
    }
    function left(): void {
      fail('client_left')
    }
    function fail(outcome: string): void {
      stop()
      reject(new Turned(outcome))
    }
    function stop(): void {
      clearTimeout(timer)
      client.pause().off('data', read).off('end', left).off('close', left)
    }
    client.on('data', read).on('end', left).on('close', left)
  })
}

/** Both headers, `more`, or the outcome that is counted. */
function parseOpening(bytes: Buffer, proxied: boolean): Opening | string {
  const header = proxied ? parseProxyHeader(bytes) : ({ kind: 'header', size: 0, from: null } as const)
  if (header.kind === 'more') return 'more'
  if (header.kind === 'bad') return 'bad_proxy_header'
  if (proxied && header.from === null) return 'health_check'
  const parsed = parseGreeting(bytes.subarray(header.size))
  if (parsed.kind === 'greeting') return { greeting: parsed, from: header.from }
  return parsed.kind === 'more' ? 'more' : parsed.reason
}

export interface Dialling {
  buffers: ReadBuffers
  connectMillis: number
  /** For how long a desktop that does not answer is dialled again: it may be waking. */
  holdMillis: number
}

const againMillis = 250

/**
 * Connects to the desktop of a connection, which can be cut meanwhile.
 * @throws Turned `desktop_unreachable`.
 */
export async function reachDesktop(
  connection: Connection,
  target: Target,
  options: Dialling,
): Promise<DesktopLeg> {
  const started = performance.now()
  for (;;) {
    try {
      return await dialOnce(connection, target, options)
    } catch (error) {
      if (performance.now() - started + againMillis > options.holdMillis) throw error
    }
    await pause(againMillis)
    stillWanted(connection)
  }
}

function dialOnce(
  connection: Connection,
  target: Target,
  { buffers, connectMillis }: Dialling,
): Promise<DesktopLeg> {
  const leg = dialDesktop(target, buffers)
  const { socket } = leg
  connection.desktop = leg
  return new Promise((resolve, reject) => {
    let fault = new Error('it hung up')
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no answer in ${connectMillis} ms`))
    }, connectMillis)
    // Stays for the socket's whole life: an error that nobody listens for would end the process.
    socket.on('error', (error) => (fault = error))
    const refused = (): void => {
      clearTimeout(timer)
      reject(new Turned('desktop_unreachable', `${target.host}:${target.port}: ${fault.message}`, fault))
    }
    socket.once('close', refused)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('close', refused)
      resolve(leg)
    })
  })
}

/** Throws when the connection was cut, or its client has gone, while something was waited for. */
export function stillWanted({ cut, client }: Connection): void {
  if (cut !== null) throw new Turned(cut)
  if (client.destroyed) throw new Turned('client_left')
}

/** Tells a client no, in words where it negotiates (MS-RDPBCGR 2.2.1.2.2), and hangs up. Resolves when it is gone. */
export async function turnAway(client: Socket, greeting: Greeting | undefined): Promise<void> {
  if (client.closed) return
  const negotiates = greeting !== undefined && greeting.requestedProtocols !== null
  await new Promise<void>((resolve) => {
    // Closing with bytes unread would reset the connection, and the answer would be lost: read on, but not for long.
    const timer = setTimeout(() => client.destroy(), farewellMillis)
    client.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
    client.resume()
    if (negotiates) client.write(negotiationFailure())
    client.end()
  })
}
