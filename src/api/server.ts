import express, { type Express, type Router } from 'express'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { messageOf, Outage, Refusal } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { problemHandler, sendProblem } from './problem.ts'
import { pageSecurity } from './security.ts'

/** What `/readyz` says: whether the service can do its work, and part by part what it lacks. */
export interface Readiness {
  ready: boolean
  /** Parts without which it works, but not as well as it should. */
  degraded: readonly string[]
  parts: Record<string, string>
}

export interface HttpOptions {
  readiness: () => Promise<Readiness>
  /** Faces in the order in which they are asked, each under its path. */
  faces: readonly { path: string; router: Router }[]
  site: { publicUrl: string }
  /** Whose `X-Forwarded-For` is believed. */
  proxies?: readonly string[]
  log: Log
}

/** The express application with all faces. Nothing is read of a body here: each face does so itself. */
export function httpApp({ readiness, faces, site, proxies = [], log }: HttpOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  // What is made for somebody is stored by nobody, so that a tag to ask again by would be worked out for nothing.
  app.disable('etag')
  app.set('query parser', 'simple')
  app.set('trust proxy', [...proxies])
  app.use(pageSecurity(site))
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' })
  })
  app.get('/readyz', async (_request, response) => {
    const state = await readiness()
    response
      .status(state.ready ? 200 : 503)
      .json({ status: statusOf(state), degraded: state.degraded, parts: state.parts })
  })
  for (const { path, router } of faces) app.use(path, router)
  app.use((request, response) => {
    sendProblem(response, new Refusal('not_found', `There is no page ${request.path}.`))
  })
  app.use(problemHandler(log))
  return app
}

function statusOf({ ready, degraded }: Readiness): string {
  if (!ready) return 'not ready'
  return degraded.length > 0 ? 'degraded' : 'ready'
}

export interface HttpServer {
  readonly port: number
  /** Node's own, for what begins as HTTP and becomes something else. */
  readonly server: Server
  /** Takes no more requests, lets those in hand finish for a moment, then cuts them. Harmless twice. */
  close(graceMillis: number): Promise<void>
}

const longestRequestMillis = 6 * 3_600_000

/**
 * Listens on a host and port (0 takes any free one), or on the path of a socket.
 * @throws Outage `http_cannot_listen`.
 */
export async function listen(
  app: Express,
  where: { host: string; port: number } | { path: string },
): Promise<HttpServer> {
  const server = createServer(app)
  // A disk that somebody sends takes its time. What comes before a body still has a minute.
  server.requestTimeout = longestRequestMillis
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(where, error)))
    server.listen(where, resolve)
  })
  const address = server.address()
  return {
    server,
    port: isTcp(address) ? address.port : 0,
    close: (graceMillis) => closeServer(server, graceMillis),
  }
}

function isTcp(address: AddressInfo | string | null): address is AddressInfo {
  return address !== null && typeof address === 'object'
}

function cannotListen(where: { host: string; port: number } | { path: string }, cause: unknown): Outage {
  const name = 'path' in where ? where.path : `${where.host}:${where.port}`
  return new Outage('http_cannot_listen', `HTTP cannot listen on ${name}: ${messageOf(cause)}`, {
    transient: false,
    cause,
  })
}

async function closeServer(server: Server, graceMillis: number): Promise<void> {
  if (!server.listening) return
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMillis)
  await closed
  clearTimeout(timer)
}
