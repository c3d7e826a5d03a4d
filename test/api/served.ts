import { openCallers } from '../../src/api/callers.ts'
import { describing, openapiDocument } from '../../src/api/openapi.ts'
import { callerOfRequest, rest } from '../../src/api/rest.ts'
import { httpApp, listen } from '../../src/api/server.ts'
import { silentLog } from '../../src/base/log.ts'
import { openDirectory } from '../../src/identity/open.ts'
import { signIn } from '../../src/identity/sign-in.ts'
import { throttle } from '../../src/identity/throttle.ts'
import { catalogue } from '../../src/operations/catalogue.ts'
import { type Core, openCore } from '../operations/core.ts'

/** The API on a real port, with everything behind it. */
export interface Served extends Core {
  url: string
  /** Calls the API as somebody of the demo, whose password is their name. */
  call(
    user: string | null,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>
}

export interface Answer {
  status: number
  headers: Headers
  body: unknown
}

export async function openServed(): Promise<Served> {
  const core = await openCore()
  const { operations, clock, config } = core
  const { site } = config
  const directory = await openDirectory(config.identity)
  const callers = openCallers({
    operations,
    directory,
    signIn: signIn({ directory, throttle: throttle(), clock }),
    site,
  })
  const log = silentLog
  const app = httpApp({
    site,
    readiness: async () => ({ ready: true, degraded: [], parts: {} }),
    faces: [
      { path: '/api', router: describing(openapiDocument(catalogue, site)) },
      {
        path: '/api/v1',
        router: rest({
          operations,
          catalogue,
          callerOf: (request) => callerOfRequest(request, callers),
          log,
        }),
      },
    ],
    log,
  })
  const server = await listen(app, { host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${server.port}`
  return {
    ...core,
    url,
    call: async (user, method, path, body, headers = {}) => {
      const basic =
        user === null ? {} : { Authorization: `Basic ${Buffer.from(`${user}:${user}`).toString('base64')}` }
      const json = body === undefined ? {} : { 'Content-Type': 'application/json' }
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: { ...basic, ...json, ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      return { status: response.status, headers: response.headers, body: await bodyOf(response) }
    },
    close: async () => {
      await server.close(0)
      await core.close()
    },
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  const bytes = Buffer.from(await response.arrayBuffer())
  return /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(bytes.toString('utf8')) : bytes
}
