import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { messageOf, Outage, Refusal } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { fingerprint } from '../base/seal.ts'
import type { Caller } from '../identity/person.ts'
import { checkConsole, type ConsoleKind, enterConsole } from '../operations/open-console.ts'
import type { Operations } from '../operations/perform.ts'
import { endWhenSilent } from './heartbeat.ts'
import { type Callers, cookieOf, sessionCookie } from './callers.ts'
import { pump } from './console-pump.ts'
import { isForeign, refuseUpgrade, type Upgrades } from './upgrades.ts'

export const consoleChannelPath = '/api/v1/console/channel'
const protocol = 'jackdaw-console'

/** A machine as whoever runs it knows it. */
export interface Place {
  hypervisor: string
  ref: string
}

export interface ConsoleServices {
  operations: Operations
  callers: Callers
  onChange: (listener: (changes: readonly { collection: string; id: string }[]) => void) => () => void
  consoles: {
    /** The bytes of its screen (RFB 3.8) or of its serial line. @throws Outage. */
    open(place: Place, kind: ConsoleKind, signal: AbortSignal): Promise<Duplex>
    /** Whether it runs now, as far as can be told. */
    runs(place: Place, signal: AbortSignal): Promise<boolean>
  }
  log: Log
}

/** Consoles that may be open at once in this process. */
const most = { person: 8, machine: 4 }
const openMillis = 10_000
/** How often whoever looks is asked whether they are still there, and we whether they still may. */
const beatMillis = 30_000
/** More than any message of noVNC; what is pasted comes in pieces. */
const longestMessage = 1 << 20

/** Why a console ended (RFC 6455, 7.4.2: the range for applications). The reason beside it is for people. */
const codes = { refused: 4003, gone: 4004, failed: 4011 } as const

/**
 * The channel of consoles: a WebSocket that carries the bytes of a screen or a serial line, for a page of ours. It takes the
 * cookie of a session and, as its second subprotocol, a ticket of that person. The first message is the text `open`; after
 * it every message is binary. It is closed with a reason in words.
 * @returns how to close it.
 */
export function consoleChannel(upgrades: Upgrades, services: ConsoleServices): () => void {
  const sockets = new WebSocketServer({
    ...{ noServer: true, maxPayload: longestMessage, clientTracking: true },
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  })
  const open = new Set<Seat>()
  upgrades.at(consoleChannelPath, (request, socket, head, address) => {
    // A page of another site may not look with the eyes of whoever has it open; only browsers have cookies to misuse.
    if (request.headers.origin === undefined || isForeign(request)) {
      refuseUpgrade(socket, '403 Forbidden')
      return
    }
    whose(request, address, services).then(
      (caller) => {
        if (caller === undefined) refuseUpgrade(socket, '401 Unauthorized')
        else {
          sockets.handleUpgrade(request, socket, head, (socket) => {
            serve({ socket, request, caller, open }, services)
          })
        }
      },
      (error: unknown) => {
        services.log.warn({ error: messageOf(error) }, 'console not opened')
        socket.destroy()
      },
    )
  })
  return () => {
    for (const client of sockets.clients)
      client.close(1001, 'Jackdaw is being restarted. Reconnect in a moment.')
    sockets.close()
  }
}

/** Whose session the cookie names, at this moment. */
async function whose(
  request: IncomingMessage,
  address: string,
  { callers }: ConsoleServices,
): Promise<Caller | undefined> {
  const token = cookieOf(request, sessionCookie)
  if (token === undefined || token === '') return undefined
  try {
    return await callers.bySession(token, { via: 'portal', address })
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** Who sits before which machine. */
interface Seat {
  user: string
  machine: string
}

interface Opening {
  socket: WebSocket
  request: IncomingMessage
  caller: Caller
  open: Set<Seat>
}

function serve(opening: Opening, services: ConsoleServices): void {
  const { socket } = opening
  const gone = new AbortController()
  endWhenSilent(socket, beatMillis)
  socket.on('error', () => socket.terminate())
  socket.on('close', () => gone.abort(new Error('whoever looked has gone')))
  begin(opening, services, gone.signal).catch((error: unknown) => {
    if (gone.signal.aborted) return
    if (error instanceof Refusal) close(socket, codes.refused, error.message)
    else {
      services.log.warn({ error: messageOf(error) }, 'console failed')
      close(socket, codes.failed, error instanceof Outage ? error.message : 'It could not be opened.')
    }
  })
}

async function begin(
  { socket, request, caller, open }: Opening,
  services: ConsoleServices,
  gone: AbortSignal,
): Promise<void> {
  const { operations, consoles } = services
  const pass = await operations.perform(enterConsole, caller, { ticket: ticketOf(request) })
  const seat = { user: caller.user, machine: pass.machine }
  checkRoom(open, seat)
  open.add(seat)
  gone.addEventListener('abort', () => open.delete(seat))
  const stream = await consoles.open(
    pass,
    pass.kind,
    AbortSignal.any([gone, AbortSignal.timeout(openMillis)]),
  )
  if (gone.aborted) {
    stream.destroy()
    return
  }
  const end = (code: number, reason: string) => {
    close(socket, code, reason)
    stream.destroy()
  }
  const over = new AbortController()
  const address = caller.address ?? 'unknown'
  watch({ request, address, pass, over: AbortSignal.any([gone, over.signal]), end }, services)
  socket.send('open')
  const ended = await pump(socket, stream)
  // From here on there is one reason: that a machine was stopped may come to be known only after its console is gone.
  over.abort()
  if (ended === 'misspoken') end(1003, 'That was not understood.')
  if (ended === 'machine') end(codes.gone, await whyEnded(pass, services))
}

/** What was offered beside the name of the protocol. Tickets are of letters that a protocol's name may have. */
function ticketOf({ headers }: IncomingMessage): string {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  return offered.find((name) => name !== protocol) ?? ''
}

function checkRoom(open: ReadonlySet<Seat>, { user, machine }: Seat): void {
  const seats = [...open]
  if (seats.filter((seat) => seat.user === user).length >= most.person) {
    throw new Refusal('busy', `You have ${most.person} consoles open. Close one of them and reconnect.`)
  }
  if (seats.filter((seat) => seat.machine === machine).length >= most.machine) {
    const detail = `${machine} has ${most.machine} consoles open. Wait until one of them is closed.`
    throw new Refusal('busy', detail)
  }
}

interface Watched {
  request: IncomingMessage
  address: string
  pass: { machine: string; ref: string }
  over: AbortSignal
  end: (code: number, reason: string) => void
}

/** Ends a console when the session of whoever looks is over, or the machine is no longer theirs or does not run. */
function watch({ request, address, pass, over, end }: Watched, services: ConsoleServices): void {
  const { operations, onChange, log } = services
  const session = fingerprint(cookieOf(request, sessionCookie) ?? '')
  const look = async () => {
    const caller = await whose(request, address, services)
    if (caller === undefined) throw new Refusal('not_signed_in', 'Your session has ended. Sign in again.')
    await operations.perform(checkConsole, caller, { machine: pass.machine, ref: pass.ref })
  }
  const lookNow = () => {
    look().catch((error: unknown) => {
      if (over.aborted) return
      if (error instanceof Refusal) end(codes.refused, error.message)
      else log.warn({ error: messageOf(error) }, 'console not looked after')
    })
  }
  const stop = onChange((changes) => {
    const concerns = ({ collection, id }: { collection: string; id: string }) =>
      (collection === 'machines' && id === pass.machine) || (collection === 'sessions' && id === session)
    if (changes.some(concerns)) lookNow()
  })
  // Groups change where nobody tells us, and a session ends by itself.
  const beat = setInterval(lookNow, beatMillis)
  over.addEventListener('abort', () => {
    stop()
    clearInterval(beat)
  })
}

async function whyEnded(
  place: Place & { machine: string },
  { consoles, log }: ConsoleServices,
): Promise<string> {
  try {
    const runs = await consoles.runs(place, AbortSignal.timeout(openMillis))
    return runs
      ? `${place.machine} closed its console. Reconnect to go on.`
      : `${place.machine} does not run any more: it was stopped, saved or removed.`
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'console ended, and why is not known')
    return `The console of ${place.machine} was lost. Reconnect to go on.`
  }
}

/** A reason has at most 123 bytes (RFC 6455, 5.5). */
function close(socket: WebSocket, code: number, reason: string): void {
  const bytes = Buffer.from(reason)
  const short =
    bytes.length <= 123
      ? reason
      : `${bytes
          .subarray(0, 119)
          .toString('utf8')
          .replace(/\ufffd+$/, '')}…`
  if (socket.readyState === socket.OPEN) socket.close(code, short)
}
