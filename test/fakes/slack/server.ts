import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import { messageFaults } from '../../../bot/slack/schema.ts'
import { addMessage, type Args, methods } from './methods.ts'
import { Blocks, SlackSays, type Workspace } from './workspace.ts'

/** One call of the Web API as it came in. */
export interface Call {
  method: string
  args: Args
  /** What was answered: `ok`, or the code of the failure. */
  answer: string
}

export interface FakeServer {
  base: string
  calls: Call[]
  sockets: Set<WebSocket>
  /** Whether anybody gets an answer. */
  state: FakeState
  /** Acknowledgements that came over a socket, by envelope. */
  acknowledged: Map<string, unknown>
  close(): Promise<void>
}

export interface ServerOptions {
  space: Workspace
  botToken: string
  appToken: string
  /** Posts in a channel that are taken at once, before it is one a second. */
  burst: number
}

/** How the fake is today. */
export interface FakeState {
  isDown: boolean
  /** Calls that it refuses with `invalid_blocks`, as a Slack would that does not know a block yet. */
  refuses: (method: string, args: Args) => boolean
}

/** The fake's HTTP and WebSocket side. */
export async function openServer(options: ServerOptions): Promise<FakeServer> {
  const calls: Call[] = []
  const state: FakeState = { isDown: false, refuses: () => false }
  const sockets = new Set<WebSocket>()
  const acknowledged = new Map<string, unknown>()
  const limits = openLimits(options)
  let base = ''
  const server = createServer((request, response) => {
    if (state.isDown) {
      request.socket.destroy()
      return
    }
    answer({ ...options, base, calls, limits, state }, request, response).catch(() =>
      response.writeHead(500).end(),
    )
  })
  const upgrades = new WebSocketServer({ server, path: '/socket' })
  upgrades.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('message', (data) => {
      const ack = z
        .object({ envelope_id: z.string(), payload: z.unknown() })
        .safeParse(parsed(Buffer.isBuffer(data) ? data.toString('utf8') : ''))
      if (ack.success) acknowledged.set(ack.data.envelope_id, ack.data.payload)
    })
    socket.send(
      JSON.stringify({ type: 'hello', num_connections: 1, connection_info: { app_id: 'A0JACKDAW' } }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${portOf(server)}`
  return {
    ...{ base, calls, sockets, state, acknowledged },
    async close() {
      for (const socket of sockets) socket.terminate()
      upgrades.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}

interface Serving extends ServerOptions {
  base: string
  calls: Call[]
  limits: ReturnType<typeof openLimits>
  state: FakeState
}

async function answer(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request)
  const path = new URL(request.url ?? '/', serving.base).pathname
  const [, kind, rest = ''] = /^\/(api|upload|response)\/(.+)$/.exec(path) ?? []
  if (kind === 'upload') {
    const upload = serving.space.uploads.get(rest)
    if (upload !== undefined) upload.bytes = body.length
    response.writeHead(upload === undefined ? 404 : 200).end('OK')
  } else if (kind === 'response') {
    const status = respond(serving.space, rest, body.toString('utf8'))
    response.writeHead(status).end(status === 200 ? 'ok' : 'used_url')
  } else {
    api(serving, rest, { request, response, body: body.toString('utf8') })
  }
}

function api(
  { space, botToken, appToken, base, calls, limits, state }: Serving,
  name: string,
  { request, response, body }: { request: IncomingMessage; response: ServerResponse; body: string },
): void {
  const args = argsOf(request.headers['content-type'] ?? '', body)
  const say = (status: number, code: string, answered: object, headers: Record<string, string> = {}) => {
    calls.push({ method: name, args, answer: code })
    const scopes = { 'x-oauth-scopes': [...space.scopes].join(',') }
    response.writeHead(status, { 'Content-Type': 'application/json', ...scopes, ...headers })
    response.end(JSON.stringify(answered))
  }
  try {
    const method = methods[name]
    if (method === undefined) throw new SlackSays('unknown_method')
    const wanted = name === 'apps.connections.open' ? appToken : botToken
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? args.token
    if (name !== 'api.test' && given !== wanted) throw new SlackSays('invalid_auth')
    const { scope } = method
    if (scope !== undefined && !space.scopes.has(scope)) {
      throw new SlackSays('missing_scope', { needed: scope, provided: [...space.scopes].join(',') })
    }
    const wait = limits.wait(name, method.perMinute, args)
    if (wait > 0) {
      say(429, 'ratelimited', { ok: false, error: 'ratelimited' }, { 'Retry-After': String(wait) })
      return
    }
    if (state.refuses(name, args)) throw new SlackSays('invalid_blocks')
    say(200, 'ok', { ok: true, ...method.run(space, args, base) })
  } catch (error) {
    const says =
      error instanceof SlackSays ? error : new SlackSays('invalid_arguments', { detail: String(error) })
    say(200, says.code, { ok: false, error: says.code, ...says.extras })
  }
}

/** Slack's limits: a message a second in a channel after a short burst, and so many calls of a method in a minute. */
function openLimits({ space, burst }: ServerOptions) {
  const paid = new Map<string, number>()
  const minutes = new Map<string, number[]>()
  return {
    /** Seconds to wait; 0 when the call is taken. */
    wait(name: string, perMinute: number, args: Args): number {
      const now = space.now()
      const calls = (minutes.get(name) ?? []).filter((at) => now - at < 60_000)
      if (calls.length >= perMinute) return Math.ceil(((calls[0] ?? now) + 60_000 - now) / 1000)
      minutes.set(name, [...calls, now])
      if (name !== 'chat.postMessage') return 0
      const channel = String(args.channel)
      const at = Math.max(now, paid.get(channel) ?? 0)
      if (at - now > burst * 1_000) return Math.ceil((at - now) / 1000 - burst + 1)
      paid.set(channel, at + 1_000)
      return 0
    },
  }
}

function argsOf(type: string, body: string): Args {
  if (type.startsWith('application/json')) return z.record(z.string(), z.unknown()).parse(parsed(body) ?? {})
  return Object.fromEntries(
    [...new URLSearchParams(body)].map(([name, value]) => [
      name,
      /^[[{]/.test(value) ? (parsed(value) ?? value) : value,
    ]),
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  await once(request, 'end')
  return Buffer.concat(parts)
}

const Response = z.object({
  response_type: z.literal('ephemeral'),
  replace_original: z.boolean().default(false),
  text: z.string(),
  blocks: z.unknown(),
  thread_ts: z.string().optional(),
})

/** An answer to where something came from: five times in half an hour, and only in blocks that Slack takes. */
function respond(space: Workspace, secret: string, body: string): number {
  const place = space.responses.get(secret)
  const said = Response.safeParse(parsed(body))
  if (place === undefined || place.uses >= 5 || space.now() - place.at > 30 * 60_000) return 404
  if (!said.success || messageFaults(said.data).length > 0) return 400
  place.uses += 1
  const content = { text: said.data.text, blocks: Blocks.parse(said.data.blocks) }
  if (said.data.replace_original && place.message !== undefined) {
    Object.assign(place.message, content, { edits: place.message.edits + 1 })
  } else {
    addMessage(space, { ...content, channel: place.channel, only: place.user, thread: said.data.thread_ts })
  }
  return 200
}
