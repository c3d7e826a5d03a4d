import express, { type NextFunction, type Request, type Response, Router } from 'express'
import { encodeRdp, encodingFor } from '../../broker/rdp-file.ts'
import { reconnectAction, reconnectAnswer } from '../../broker/profiles/reconnect.ts'
import { askedVersion, feedPaths, feedType, webFeed } from '../../broker/profiles/webfeed.ts'
import type { Clock } from '../base/clock.ts'
import { Refusal } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type Caller, nobody } from '../identity/person.ts'
import { collectionFile } from '../operations/collection-file.ts'
import { listPools } from '../operations/list-pools.ts'
import { openDesktop } from '../operations/open-desktop.ts'
import { openSession } from '../operations/open-session.ts'
import type { Operations } from '../operations/perform.ts'
import type { Site } from '../operations/site.ts'
import { basicOf, type Callers, cookieOf } from './callers.ts'
import { feedIcon } from './feed-icons.ts'
import { problemHandler, sendProblem } from './problem.ts'
import { addressOf } from './rest.ts'

export interface FeedServices {
  operations: Operations
  callers: Callers
  site: Site
  clock: Clock
  log: Log
}

/** Addresses at which clients look for a feed when they were told less than its own (MS-TSWP 3.1.5). */
const discovery = [
  '/RDWeb',
  '/RDWeb/Feed',
  '/RDWeb/feed/webfeed.aspx',
  '/Feed/webfeed.aspx',
  '/webfeed.aspx',
  '/api/feeddiscovery/webfeeddiscovery.aspx',
  '/api/arm/feeddiscovery',
]

/** The cookie by which feed clients bring back what they were given at the login page. */
const feedCookie = '.ASPXAUTH'
const loginType = 'application/x-msts-webfeed-login; charset=utf-8'

/**
 * The web feed (MS-TSWP) and the service that gives people their sessions back (MS-RDWR). Its login takes HTTP Basic and
 * answers with a session token, which the client then brings as a cookie.
 */
export function feeds(services: FeedServices): Router {
  const router = Router({ caseSensitive: false })
  router.get(feedPaths.feed, signedIn(services, sendFeed))
  router.get(feedPaths.login, (request, response, next) => {
    logIn(services, request, response).catch(next)
  })
  router.get('/RDWeb/Feed/rdp/:file', signedIn(services, sendFile))
  router.get('/RDWeb/Feed/icons/:file', (request, response, next) => {
    const icon = feedIcon(request.params.file)
    if (icon === undefined) next()
    else response.setHeader('Cache-Control', 'public, max-age=86400').type(icon.type).end(icon.content)
  })
  const text = express.text({ type: () => true, limit: '16kb' })
  router.post(feedPaths.reconnect, text, signedIn(services, sendSessions))
  router.get(discovery, (_request, response) => response.redirect(302, feedPaths.feed))
  // Windows tries the address that somebody typed, whatever it is.
  router.use((request, response, next) => {
    if (request.method === 'GET' && /^TSWorkspace\//.test(request.get('User-Agent') ?? '')) {
      response.redirect(302, feedPaths.feed)
    } else next()
  })
  router.use(problemHandler(services.log))
  return router
}

type Handler = (services: FeedServices, caller: Caller, request: Request, response: Response) => Promise<void>

function signedIn(services: FeedServices, handler: Handler) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    try {
      const caller = await callerOf(services, request)
      if (caller === null) askToLogIn(request, response)
      else await handler(services, caller, request, response)
    } catch (error) {
      next(error)
    }
  }
}

async function callerOf({ callers }: FeedServices, request: Request): Promise<Caller | null> {
  const from = { via: 'rest', address: addressOf(request) } as const
  const basic = basicOf(request)
  if (basic !== undefined) return callers.byPassword(basic, from)
  const token = cookieOf(request, feedCookie)
  if (token === undefined || token === '') return null
  try {
    return await callers.bySession(token, from)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'not_signed_in') return null
    throw error
  }
}

/** The newer clients probe for a challenge; the others follow to the page that makes one. */
function askToLogIn(request: Request, response: Response): void {
  if (/RdCore\//.test(request.get('User-Agent') ?? '')) challenge(response)
  else response.redirect(302, feedPaths.login)
}

function challenge(response: Response): void {
  response.status(401).setHeader('WWW-Authenticate', 'Basic realm="Jackdaw desktops", charset="UTF-8"')
  response.type('text').send('Sign in with your user name and password.')
}

async function logIn({ operations }: FeedServices, request: Request, response: Response): Promise<void> {
  const claim = basicOf(request)
  if (claim === undefined) {
    challenge(response)
    return
  }
  const caller = nobody('rest', addressOf(request))
  const { token } = await operations.perform(openSession, caller, claim)
  response.setHeader('Cache-Control', 'no-store').setHeader('Content-Type', loginType)
  response.end(token)
}

async function sendFeed(
  { operations, site, clock }: FeedServices,
  caller: Caller,
  request: Request,
  response: Response,
): Promise<void> {
  const { items } = await operations.perform(listPools, caller, {})
  const version = askedVersion(request.get('Accept'))
  response.setHeader('Cache-Control', 'no-store').setHeader('Content-Type', feedType(version))
  response.end(webFeed({ site, pools: items, now: clock.now() }, version))
}

/**
 * Windows keeps the files of a feed, so it gets one that names the pool and no lease: the router finds out who asks.
 * Everybody else fetches a file when it is opened, and gets the file of a lease.
 */
async function sendFile(
  { operations }: FeedServices,
  caller: Caller,
  request: Request,
  response: Response,
): Promise<void> {
  const pool = /^(.+)\.rdp$/.exec(String(request.params.file))?.[1] ?? ''
  const userAgent = request.get('User-Agent') ?? ''
  const keeps = /^TSWorkspace\//.test(userAgent)
  const { rdp } = keeps
    ? await operations.perform(collectionFile, caller, { pool })
    : await operations.perform(openDesktop, caller, { pool, terminal: {} })
  response.setHeader('Cache-Control', 'no-store')
  if (rdp === undefined) {
    response.setHeader('Retry-After', '5')
    sendProblem(response, new Refusal('busy', 'Your desktop is being prepared. Try again in a few seconds.'))
    return
  }
  response.setHeader('Content-Type', 'application/x-rdp')
  response.setHeader('Content-Disposition', `attachment; filename="${encodeURIComponent(pool)}.rdp"`)
  response.end(encodeRdp(rdp, encodingFor({ userAgent })))
}

/** The files of all sessions that somebody has open, each resumed as if it had been opened from here. */
async function sendSessions(
  { operations }: FeedServices,
  caller: Caller,
  request: Request,
  response: Response,
): Promise<void> {
  const action = (request.get('SOAPAction') ?? '').replaceAll('"', '')
  if (action !== reconnectAction) {
    throw new Refusal('invalid_input', `The only action here is ${reconnectAction}.`)
  }
  const { items } = await operations.perform(listPools, caller, {})
  const open = items.filter(({ lease }) => lease !== undefined && lease.state !== 'preparing')
  const files: string[] = []
  for (const { name } of open) {
    const { rdp } = await operations.perform(openDesktop, caller, { pool: name, terminal: {} })
    if (rdp !== undefined) files.push(rdp)
  }
  response.setHeader('Cache-Control', 'no-store').setHeader('Content-Type', 'text/xml; charset=utf-8')
  response.end(reconnectAnswer(files))
}
