import type { Socket } from 'node:net'
import { type Dispatcher, request } from 'undici'
import { z } from 'zod'
import { assert, Outage } from '../../base/errors.ts'
import { hypervisorUnreachable } from '../outages.ts'
import { failureOf } from './failures.ts'
import { agentOf, codeOf, dial, distrust, type Trust } from './wire.ts'

export type Params = Readonly<Record<string, string | number | boolean | undefined>>

/** Asks the API (https://pve.proxmox.com/pve-docs/api-viewer/), and gives what is under `data`, checked. */
export interface ProxmoxClient {
  readonly name: string
  get<T>(path: string, answer: z.ZodType<T>, signal: AbortSignal, params?: Params): Promise<T>
  post<T>(path: string, answer: z.ZodType<T>, signal: AbortSignal, params?: Params): Promise<T>
  put<T>(path: string, answer: z.ZodType<T>, signal: AbortSignal, params?: Params): Promise<T>
  delete<T>(path: string, answer: z.ZodType<T>, signal: AbortSignal, params?: Params): Promise<T>
  /** A socket to a WebSocket of the API, with where it is and what lets us in. */
  upgrade(path: string, params: Params, signal: AbortSignal): Promise<Upgrade>
  close(): Promise<void>
}

export interface Upgrade {
  socket: Socket
  url: URL
  headers: Readonly<Record<string, string>>
}

export interface ClientOptions {
  name: string
  urls: readonly string[]
  token: string
  secret: string
  trust: Trust
}

/** How large an answer may be: lists of some thousand machines are a few MB. */
const mostBytes = 64 * 1024 * 1024

/** What shows that nothing was sent, so that another node may be asked the same. */
const unsent =
  /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/

const Body = z.object({
  data: z.unknown(),
  message: z.string().optional().catch(undefined),
  errors: z.record(z.string(), z.string()).catch({}).default({}),
})

/** Opens a client. Nothing is asked before it is needed. */
export function proxmoxClient(options: ClientOptions): ProxmoxClient {
  const { name, urls, token, secret, trust } = options
  const agent = agentOf(trust)
  const headers = { authorization: `PVEAPIToken=${token}=${secret}` }
  let best = 0
  let isClosed = false

  /** Asks the node that answered last, and the others in turn when no connection to it can be made. */
  async function anyOf<T>(ask: (url: string) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    let failure: unknown
    for (let tried = 0; tried < urls.length; tried++) {
      const index = (best + tried) % urls.length
      const url = urls[index]
      assert(url !== undefined && !isClosed, 'a client that is open has an address')
      try {
        const answer = await ask(url)
        best = index
        return answer
      } catch (error) {
        signal.throwIfAborted()
        failure = error
        if (!unsent.test(codeOf(error) ?? '')) break
      }
    }
    throw failure instanceof Outage
      ? failure
      : (distrust(name, failure) ?? hypervisorUnreachable(name, failure))
  }

  async function call<T>(
    method: Dispatcher.HttpMethod,
    path: string,
    answer: z.ZodType<T>,
    signal: AbortSignal,
    params: Params = {},
  ): Promise<T> {
    const form = formOf(params)
    const isBody = method === 'POST' || method === 'PUT'
    const query = isBody || form === '' ? '' : `?${form}`
    const said = await anyOf(async (url) => {
      const target = `${url.replace(/\/$/, '')}/api2/json${path}${query}`
      const type = { 'content-type': 'application/x-www-form-urlencoded' }
      const sent = isBody ? { body: form, headers: { ...headers, ...type } } : { headers }
      // One of its own for each request: many at once on one signal would look like a leak.
      const own = AbortSignal.any([signal])
      const response = await request(target, { method, dispatcher: agent, signal: own, ...sent })
      return { status: response.statusCode, reason: response.statusText, text: await textOf(response.body) }
    }, signal)
    const body = bodyOf(said.text)
    if (said.status < 200 || said.status > 299) {
      const words = [body.message, said.reason].find((text) => text !== undefined && text.trim() !== '') ?? ''
      const node = /^\/nodes\/([^/]+)/.exec(path)?.[1]
      const clean = words.replaceAll(secret, '(secret)')
      throw failureOf({
        hypervisor: name,
        token,
        status: said.status,
        said: clean,
        errors: body.errors,
        node,
      })
    }
    return checked(answer, body.data, `${method} ${path}`)
  }

  function checked<T>(answer: z.ZodType<T>, data: unknown, what: string): T {
    const parsed = answer.safeParse(data)
    if (parsed.success) return parsed.data
    const where = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).slice(0, 3)
    const detail = `${name} gave an answer to ${what} that is not understood (${where.join('; ')}).`
    throw new Outage('hypervisor_refused', detail, { transient: false })
  }

  return {
    name,
    get: (path, answer, signal, params) => call('GET', path, answer, signal, params),
    post: (path, answer, signal, params) => call('POST', path, answer, signal, params),
    put: (path, answer, signal, params) => call('PUT', path, answer, signal, params),
    delete: (path, answer, signal, params) => call('DELETE', path, answer, signal, params),
    upgrade: (path, params, signal) =>
      anyOf(async (url) => {
        const socket = await dial(new URL(url), trust, signal)
        const target = new URL(`${url.replace(/\/$/, '')}/api2/json${path}?${formOf(params)}`)
        target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:'
        return { socket, url: target, headers }
      }, signal),
    async close() {
      if (isClosed) return
      isClosed = true
      await agent.destroy()
    },
  }
}

/** Truth is 1 and 0 to the API; what is undefined is left out. */
function formOf(params: Params): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined)
      form.append(name, typeof value === 'boolean' ? (value ? '1' : '0') : String(value))
  }
  return form.toString()
}

async function textOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of body) {
    assert(part instanceof Uint8Array, 'a body is bytes')
    length += part.length
    if (length > mostBytes) throw new Error(`an answer of more than ${mostBytes} bytes`)
    parts.push(Buffer.from(part))
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Errors of the daemon itself come as HTML or as nothing. */
function bodyOf(text: string): z.infer<typeof Body> {
  try {
    return Body.parse(JSON.parse(text))
  } catch {
    return { data: undefined, errors: {} }
  }
}
