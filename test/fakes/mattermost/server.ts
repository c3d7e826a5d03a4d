import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { type Answer, type Call, type Handlers, handlers, type Shown } from './api.ts'
import { answerFaults, ApiError, describedCall, requestFaults } from './calls.ts'
import { type Hub, openHub } from './hub.ts'
import { type FakeUser, openWorld, type World } from './world.ts'

/**
 * A fake Mattermost: HTTP and WebSocket on a real port, with a real signing key, as strict as a server is and stricter
 * where the description lets more through. No code of Mattermost's is in it, and nothing shown with it was shown with a
 * real server.
 */
export interface FakeMattermost {
  url: string
  world: World
  hub(): Hub
  shown: Shown
  /** What was asked of it that its description does not know. */
  faults: string[]
  /** Every call, as `POST /posts`. */
  asked: string[]
  /** From now on calls fail in one way; nothing mends it. */
  fail(how: Failure | undefined, count?: number): void
  /** Stops and starts again at the same port: connections and what was known of them are gone. */
  restart(): Promise<void>
  /** Not there at all, until `restart`. */
  stop(): Promise<void>
  close(): Promise<void>
}

/** A page of a proxy, with and without a status that says so; no answer; too much; the token is not good. */
export type Failure = 'page' | 'page-with-200' | 'silence' | 'busy' | 'token'

export interface FakeOptions {
  version?: string
  now?: () => number
}

export async function openFakeMattermost(options: FakeOptions = {}): Promise<FakeMattermost> {
  const world = openWorld({ version: options.version ?? '11.9.0', now: options.now ?? Date.now })
  const shown: Shown = { dialogs: [], whispers: [] }
  const faults: string[] = []
  const asked: string[] = []
  let failing: { how: Failure; count: number } | undefined
  let running: { server: Server; hub: Hub } | undefined
  let port = 0
  const hub = (): Hub => {
    if (running === undefined) throw new Error('the fake is stopped')
    return running.hub
  }
  const routes = handlers(world, hub, shown)
  const userOf = (token: string): FakeUser | undefined =>
    [...world.users.values()].find((user) => user.token !== '' && user.token === token)

  function failure(response: ServerResponse): boolean {
    if (failing === undefined) return false
    const { how } = failing
    if (--failing.count <= 0) failing = undefined
    failed(response, how)
    return true
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake')
    const described = describedCall(request.method ?? '', url.pathname.replace('/api/v4', ''))
    asked.push(described?.key ?? `${request.method ?? ''} ${url.pathname}`)
    const bytes = await bodyOf(request)
    if (failure(response)) return
    if (url.pathname.startsWith('/hooks/commands/')) {
      answerHook(world, url, bytes, response, shown)
      return
    }
    await answerCall({ request, url, described, bytes, response })
  }

  async function answerCall(asking: Asking): Promise<void> {
    const { described, response } = asking
    try {
      const answer = await perform(asking, { routes, userOf, faults })
      const wrong = answerFaults(described?.key ?? '', answer.status, answer.body)
      if (wrong.length > 0) throw new Error(wrong.join('; '))
      send(response, answer, world)
    } catch (error) {
      if (!(error instanceof ApiError)) faults.push(String(error))
      const { status, id, message } =
        error instanceof ApiError ? error : new ApiError(500, 'fake', String(error))
      if (status === 400 && message !== id) faults.push(message)
      send(response, { status, body: { id, message, request_id: '', status_code: status } }, world)
    }
  }

  async function start(): Promise<void> {
    const server = createServer((request, response) => void serve(request, response))
    running = { server, hub: openHub(server, { userOf, version: world.version, id: () => world.id() }) }
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    port = addressOf(server).port
  }

  async function stop(): Promise<void> {
    if (running === undefined) return
    const { server, hub: old } = running
    running = undefined
    old.forget()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  await start()
  return {
    url: `http://127.0.0.1:${port}`,
    ...{ world, hub, shown, faults, asked, stop, close: stop },
    fail(how, count = Infinity) {
      failing = how === undefined ? undefined : { how, count }
    },
    async restart() {
      await stop()
      await start()
    },
  }
}

function addressOf(server: Server): AddressInfo {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return address
}

interface Asking {
  request: IncomingMessage
  url: URL
  described: { key: string; params: Record<string, string> } | undefined
  bytes: Buffer
  response: ServerResponse
}

/** Checks what every call has to keep, and carries it out. */
async function perform(
  { request, url, described, bytes }: Asking,
  {
    routes,
    userOf,
    faults,
  }: { routes: Handlers; userOf: (token: string) => FakeUser | undefined; faults: string[] },
): Promise<Answer> {
  const handler = routes[described?.key ?? '']
  if (described === undefined || handler === undefined) throw new ApiError(404, 'api.context.404.app_error')
  const me = described.key === 'GET /system/ping' ? anybody : whoCalls(request, userOf)
  const { body, form } = await contentOf(request, bytes)
  faults.push(...requestFaults(described.key, url.searchParams, body))
  const call: Call = { me, params: described.params, query: url.searchParams, body, form }
  return handler(call)
}

const anybody: FakeUser = {
  ...{ id: '', username: '', email: '', roles: '', is_bot: false, delete_at: 0, auth_service: '' },
  ...{ timezone: {}, token: '' },
}

/** By token; or by cookie, and then only with what no other site's page could add (CSRF). */
function whoCalls(request: IncomingMessage, userOf: (token: string) => FakeUser | undefined): FakeUser {
  const { authorization = '', cookie = '' } = request.headers
  const bearer = /^bearer (.+)$/i.exec(authorization)?.[1]
  const session = /(?:^|;\s*)MMAUTHTOKEN=([^;]+)/.exec(cookie)?.[1]
  if (bearer === undefined && session !== undefined && request.method !== 'GET') {
    if (request.headers['x-csrf-token'] === undefined)
      throw new ApiError(401, 'api.context.session_expired.app_error')
  }
  const user = userOf(bearer ?? session ?? '')
  if (user === undefined || user.delete_at > 0)
    throw new ApiError(401, 'api.context.session_expired.app_error')
  return user
}

async function contentOf(
  request: IncomingMessage,
  bytes: Buffer,
): Promise<{ body: unknown; form: FormData | undefined }> {
  const type = request.headers['content-type'] ?? ''
  if (bytes.length === 0) return { body: undefined, form: undefined }
  if (type.startsWith('multipart/form-data')) {
    const response = new Response(new Uint8Array(bytes), { headers: { 'content-type': type } })
    return { body: undefined, form: await response.formData() }
  }
  if (type !== 'application/json') throw new ApiError(400, 'a body that is not said to be JSON')
  const body: unknown = JSON.parse(bytes.toString('utf8'))
  return { body, form: undefined }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The type is said without a character set: clients take nothing else for JSON. */
function send(response: ServerResponse, { status, body }: Answer, world: World): void {
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'X-Version-Id': `${world.version}.${world.version}.fake.false`,
    'X-Request-Id': world.id(),
  })
  response.end(JSON.stringify(body))
}

function failed(response: ServerResponse, how: Failure): void {
  const page = '<html><body>Bad gateway</body></html>'
  if (how === 'silence') return
  if (how === 'busy') {
    response.writeHead(429, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Ratelimit-Reset': '1' })
    response.end('limit exceeded')
  } else if (how === 'token') {
    response.writeHead(401, { 'Content-Type': 'application/json' })
    response.end(
      JSON.stringify({ id: 'api.context.session_expired.app_error', message: 'expired', status_code: 401 }),
    )
  } else {
    response.writeHead(how === 'page' ? 502 : 200, { 'Content-Type': 'text/html' })
    response.end(page)
  }
}

/** A later answer to a command is good five times within half an hour. */
function answerHook(world: World, url: URL, bytes: Buffer, response: ServerResponse, shown: Shown): void {
  const hook = world.hooks.get(url.pathname.split('/').at(-1) ?? '')
  const said = z
    .object({ text: z.string(), attachments: z.array(z.unknown()).default([]) })
    .safeParse(JSON.parse(bytes.toString('utf8')))
  if (hook === undefined || hook.uses >= 5 || !said.success) {
    send(response, { status: 404, body: { id: 'hook', message: 'hook', status_code: 404 } }, world)
    return
  }
  hook.uses++
  const { user, channel, root } = hook
  shown.whispers.push({ id: world.id(), user, channel, root, ...said.data })
  send(response, { status: 200, body: { status: 'OK' } }, world)
}
