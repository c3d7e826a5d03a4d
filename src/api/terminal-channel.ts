import { type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import { messageOf, Refusal } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type Caller, nobody } from '../identity/person.ts'
import { endLeaseNow } from '../operations/end-lease.ts'
import { extendLeaseTime } from '../operations/extend-lease.ts'
import { sightTerminal } from '../operations/manage-terminals.ts'
import type { Operations } from '../operations/perform.ts'
import { terminalSession } from '../operations/terminal-session.ts'
import { endWhenSilent } from './heartbeat.ts'
import type { Callers } from './callers.ts'
import { isForeign, refuseUpgrade, type Upgrades } from './upgrades.ts'

export const channelPath = '/api/v1/terminals/channel'

export interface ChannelServices {
  operations: Operations
  callers: Callers
  onChange(listener: (changes: readonly { collection: string; id: string }[]) => void): () => void
  log: Log
}

/** What a terminal says. The first is always its hello; a person's token lets it show and steer their session. */
const Said = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    name: z.string().max(63).optional(),
    mac: z.string().max(32).optional(),
    kind: z.string().max(32).optional(),
    token: z.string().max(200).optional(),
    lease: z.string().max(60).optional(),
  }),
  z.object({ type: z.literal('extend'), minutes: z.number().int().min(1).max(1440) }),
  z.object({ type: z.literal('log-off') }),
])
type Hello = Extract<z.infer<typeof Said>, { type: 'hello' }>
type Shown = Awaited<ReturnType<typeof show>>

/** Long enough for a slow device to say hello, and how often it is asked whether it is still there. */
const helloMillis = 10_000
const beatMillis = 30_000
const mostChannels = 20_000

/**
 * The channel of terminals: a WebSocket on which a device is told of its session (state, a warned end, that it has moved
 * to another terminal, its end) and of what operators send it, and on which it may extend or log off.
 * @returns how to close it.
 */
export function terminalChannel(upgrades: Upgrades, services: ChannelServices): () => void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 4096, clientTracking: true })
  upgrades.at(channelPath, (request, socket, head, address) => {
    // A page of another site may not speak for whoever looks at it.
    if (sockets.clients.size >= mostChannels || isForeign(request)) refuseUpgrade(socket, '403 Forbidden')
    else sockets.handleUpgrade(request, socket, head, (open) => serve(open, address, services))
  })
  return () => {
    for (const client of sockets.clients) client.close(1001, 'the service stops')
    sockets.close()
  }
}

function serve(socket: WebSocket, address: string, services: ChannelServices): void {
  const { log } = services
  const late = setTimeout(() => socket.close(1008, 'no hello'), helloMillis)
  let talk: Talk | undefined
  endWhenSilent(socket, beatMillis)
  // One thing at a time, in the order in which they came.
  let turn: Promise<void> = Promise.resolve()
  const inTurn = (work: () => Promise<void>) => {
    turn = turn.then(work).catch((error: unknown) => {
      if (error instanceof Refusal) send(socket, { type: 'refused', code: error.code, text: error.message })
      else {
        log.warn({ error: messageOf(error) }, 'terminal channel failed')
        socket.close(1011, 'try again')
      }
    })
  }
  const stop = services.onChange((changes) => {
    if (talk?.concerns(changes) === true) inTurn(async () => talk?.look())
  })
  socket.on('message', (data) => {
    const said = parsed(Buffer.isBuffer(data) ? data.toString('utf8') : '')
    if (said === undefined) {
      socket.close(1007, 'not understood')
      return
    }
    inTurn(async () => {
      if (said.type === 'hello') {
        clearTimeout(late)
        talk = await begin(socket, services, said, address)
        await talk.look()
      } else await talk?.act(said)
    })
  })
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    clearTimeout(late)
    stop()
  })
}

function parsed(text: string): z.infer<typeof Said> | undefined {
  try {
    const result = Said.safeParse(JSON.parse(text))
    return result.success ? result.data : undefined
  } catch {
    return undefined
  }
}

interface Talk {
  concerns(changes: readonly { collection: string; id: string }[]): boolean
  /** Looks again, and tells the terminal what has become different. */
  look(): Promise<void>
  act(said: Exclude<z.infer<typeof Said>, Hello>): Promise<void>
}

async function begin(
  socket: WebSocket,
  services: ChannelServices,
  hello: Hello,
  address: string,
): Promise<Talk> {
  const { operations, callers } = services
  const { token, name, mac, kind } = hello
  const caller =
    token === undefined ? nobody('rest', address) : await callers.bySession(token, { via: 'rest', address })
  const said = { ...(name === undefined ? {} : { name }), ...(mac === undefined ? {} : { mac }) }
  const stranger = nobody('rest', address)
  await operations.perform(sightTerminal, stranger, { ...said, ...(kind === undefined ? {} : { kind }) })
  let last: Shown | undefined
  let { lease } = hello
  return {
    concerns: (changes) =>
      changes.some(
        ({ collection, id }) =>
          (collection === 'terminals' && id === last?.terminal) ||
          (collection === 'machines' && id === last?.session?.desktop) ||
          // A lease that is not ours yet may become so; one that is may go.
          (collection === 'leases' && (lease === undefined || id === lease) && token !== undefined),
      ),
    async look() {
      const seen = await show(services, caller, { ...said, ...(lease === undefined ? {} : { lease }) })
      for (const news of newsBetween(last, seen)) send(socket, news)
      last = seen
      lease = seen.session?.lease
      const moved = seen.session !== null && seen.session.at !== seen.terminal && seen.terminal !== null
      if (seen.session?.state === 'ended' || moved) lease = undefined
    },
    async act(wish) {
      if (lease === undefined)
        throw new Refusal('not_found', 'There is no session of yours at this terminal.')
      if (wish.type === 'log-off') {
        await operations.perform(endLeaseNow, caller, { id: lease, reason: 'logged_off' })
        return
      }
      const answer = await operations.perform(extendLeaseTime, caller, { id: lease, minutes: wish.minutes })
      if ('request' in answer) send(socket, { type: 'asked', ...answer })
    },
  }
}

function show(
  { operations }: ChannelServices,
  caller: Caller,
  input: { name?: string; mac?: string; lease?: string },
) {
  return operations.perform(terminalSession, caller, input)
}

type News = { type: string } & Record<string, unknown>

/** What a terminal is told when what it shows changes from one thing to another. */
export function newsBetween(last: Shown | undefined, seen: Shown): News[] {
  const news: News[] = []
  if (last === undefined) news.push({ type: 'welcome', terminal: seen.terminal, pool: seen.pool })
  const { session, order, terminal } = seen
  if (session !== null && session.at !== terminal && last?.session?.at === terminal && terminal !== null) {
    news.push({ type: 'moved', to: session.at })
  } else if (JSON.stringify(session) !== JSON.stringify(last?.session ?? null)) {
    news.push(session === null ? { type: 'session', session: null } : { type: 'session', session })
    const wasEnding = last?.session?.isEnding === true && last.session.endsAt === session?.endsAt
    if (session?.isEnding === true && !wasEnding) {
      const { endsAt, canExtend, canAsk } = session
      news.push({ type: 'ending', endsAt, canExtend, canAsk })
    }
  }
  // What was sent before it said hello is old news.
  if (last !== undefined && order !== null && order.id !== last.order?.id) {
    news.push({ type: order.kind, text: order.text, at: order.at })
  }
  return news
}

function send(socket: WebSocket, news: News): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(news))
}
