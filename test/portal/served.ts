import { openCallers } from '../../src/api/callers.ts'
import { openapiDocument } from '../../src/api/openapi.ts'
import { httpApp, listen } from '../../src/api/server.ts'
import { silentLog } from '../../src/base/log.ts'
import type { Config } from '../../src/config.ts'
import { openDirectory } from '../../src/identity/open.ts'
import { signIn } from '../../src/identity/sign-in.ts'
import { throttle } from '../../src/identity/throttle.ts'
import type { Pace } from '../../src/jobs/trades.ts'
import { catalogue } from '../../src/operations/catalogue.ts'
import { openLayout } from '../../src/portal/layout.tsx'
import { portal } from '../../src/portal/routes.tsx'
import { type Core, openCore } from '../operations/core.ts'

/** The portal on a real port, with everything behind it. */
export interface Site extends Core {
  url: string
  /** A browser without scripts that nobody has signed in with. */
  browser(): Browser
  /** One that somebody of the demo has signed in with; their password is their name. */
  signedIn(user: string): Promise<Browser>
}

export async function openSite(config?: Config, pace?: Pace): Promise<Site> {
  const options = { ...(config === undefined ? {} : { config }), ...(pace === undefined ? {} : { pace }) }
  const core = await openCore(options)
  const { operations, clock, store } = core
  const { site } = core.config
  const directory = await openDirectory(core.config.identity)
  const passwords = signIn({ directory, throttle: throttle(), clock })
  const callers = openCallers({ operations, directory, signIn: passwords, site })
  const log = silentLog
  const faces = portal({
    ...{ operations, site, clock, callers, log, layout: openLayout(site) },
    openapi: openapiDocument(catalogue, site),
    onChange: (listener) => store.onCommit(listener),
  })
  const app = httpApp({
    site,
    readiness: async () => ({ ready: true, degraded: [], parts: {} }),
    faces: [{ path: '/', router: faces }],
    log,
  })
  const server = await listen(app, { host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${server.port}`
  return {
    ...core,
    url,
    browser: () => openBrowser(url),
    signedIn: async (user) => {
      const browser = openBrowser(url)
      await browser.post('/sign-in', { user, password: user })
      return browser
    },
    close: async () => {
      await server.close(0)
      await core.close()
    },
  }
}

export interface Shown {
  status: number
  headers: Headers
  bytes: Buffer
  html: string
  /** Where it leads, when it is a redirect. */
  location: string | null
}

export interface Browser {
  readonly cookies: ReadonlyMap<string, string>
  get(path: string, headers?: Record<string, string>): Promise<Shown>
  /** Sends a form as a browser does from a page of ours, unless the headers say otherwise. */
  post(path: string, fields?: Record<string, string>, headers?: Record<string, string>): Promise<Shown>
  /** As `post`, and then where that leads. */
  submit(path: string, fields?: Record<string, string>): Promise<Shown>
}

interface Sending {
  method?: string
  body?: URLSearchParams
  headers: Record<string, string>
}

function openBrowser(url: string): Browser {
  const cookies = new Map<string, string>()

  async function send(path: string, init: Sending): Promise<Shown> {
    const cookie = Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ')
    const headers = cookie === '' ? init.headers : { ...init.headers, cookie }
    const response = await fetch(`${url}${path}`, { ...init, headers, redirect: 'manual' })
    for (const text of response.headers.getSetCookie()) keep(cookies, text)
    const bytes = Buffer.from(await response.arrayBuffer())
    const { status } = response
    return {
      ...{ status, headers: response.headers, bytes, html: bytes.toString('utf8') },
      location: response.headers.get('location'),
    }
  }

  const browser: Browser = {
    cookies,
    get: (path, headers = {}) => send(path, { headers }),
    post: (path, fields = {}, headers = { origin: url }) =>
      send(path, { method: 'POST', body: new URLSearchParams(fields), headers }),
    async submit(path, fields) {
      const answer = await browser.post(path, fields)
      return answer.location === null ? answer : browser.get(answer.location)
    },
  }
  return browser
}

function keep(cookies: Map<string, string>, text: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? []
  if (/expires=Thu, 01 Jan 1970/i.test(text)) cookies.delete(name)
  else cookies.set(name, value)
}
