import { connect, type Socket } from 'node:net'
import { Outage, Refusal } from '../../src/base/errors.ts'
import { type Greeting, negotiationFailure, parseGreeting } from './greeting.ts'
import type { Connection, Target } from './sessions.ts'

/** TCP keepalive, so that a client or a desktop that lost its power is noticed. */
export const liveliness = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }

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

/**
 * Reads a client's greeting and then lets it wait.
 * @throws Turned `greeting_timeout`, `client_left`, or what is wrong with the greeting.
 */
export function readGreeting(client: Socket, limitMillis: number): Promise<Greeting> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0)
    const timer = setTimeout(() => fail('greeting_timeout'), limitMillis)
    function read(chunk: Buffer): void {
      bytes = Buffer.concat([bytes, chunk])
      const parsed = parseGreeting(bytes)
      if (parsed.kind === 'more') return
      if (parsed.kind === 'bad') {
        fail(parsed.reason)
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

/**
 * Connects to the desktop of a connection, which can be cut meanwhile.
 * @throws Turned `desktop_unreachable`.
 */
export function reachDesktop(connection: Connection, target: Target, limitMillis: number): Promise<Socket> {
  const desktop = connect({ ...target, ...liveliness, allowHalfOpen: true })
  connection.desktop = desktop
  return new Promise((resolve, reject) => {
    let fault = new Error('it hung up')
    const timer = setTimeout(() => desktop.destroy(new Error(`no answer in ${limitMillis} ms`)), limitMillis)
    // Stays for the socket's whole life: an error that nobody listens for would end the process.
    desktop.on('error', (error) => (fault = error))
    desktop.once('connect', () => {
      clearTimeout(timer)
      resolve(desktop)
    })
    desktop.once('close', () => {
      clearTimeout(timer)
      reject(new Turned('desktop_unreachable', `${target.host}:${target.port}: ${fault.message}`, fault))
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
