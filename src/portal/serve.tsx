import express, { type Request, type RequestHandler, type Response, Router } from 'express'
import { checkOrigin } from '../api/callers.ts'
import { problemOf } from '../api/problem.ts'
import { messageOf, Refusal } from '../base/errors.ts'
import type { Caller } from '../identity/person.ts'
import { renderFragment } from './layout.tsx'
import { Trouble, troubleTitle } from './pages/trouble.tsx'
import { callerOf } from './session.ts'
import { type Answer, fieldsOf, paramOf, type PortalServices, type Visit } from './visit.ts'

export type Handler = (visit: Visit) => Promise<Answer>

/** A router whose pages are functions from a visit to an answer; all that is HTTP about them is done here. */
export interface Pages {
  router: Router
  get(path: string, handler: Handler): void
  post(path: string, handler: Handler): void
}

const form = express.urlencoded({ extended: false, limit: '64kb' })

export function openPages(services: PortalServices): Pages {
  const router = Router()
  return {
    router,
    get: (path, handler) => void router.get(path, serve(services, handler)),
    post: (path, handler) => void router.post(path, originChecked(services), form, serve(services, handler)),
  }
}

/** The steps before each form that is posted: it comes from a page of ours, and its fields are read. */
export function posted(services: PortalServices): RequestHandler[] {
  return [originChecked(services), form]
}

function originChecked(services: PortalServices): RequestHandler {
  return (request, response, next) => {
    try {
      checkOrigin(request)
    } catch (error) {
      sendTrouble(services, request, response, error, null)
      return
    }
    next()
  }
}

function serve(services: PortalServices, handler: Handler): RequestHandler {
  return async (request, response) => {
    let caller: Caller | null = null
    try {
      caller = await callerOf(request, services.callers)
      if (caller === null) {
        toSignIn(request, response)
        return
      }
      send(services, response, caller, await handler(visitOf(services, request, caller)))
    } catch (error) {
      sendTrouble(services, request, response, error, caller)
    }
  }
}

export function visitOf(services: PortalServices, request: Request, caller: Caller): Visit {
  const { operations, clock, site } = services
  return {
    caller,
    site,
    now: clock.now(),
    userAgent: request.get('User-Agent'),
    param: (name) => paramOf(request, name),
    query: fieldsOf(request.query),
    form: fieldsOf(request.body),
    perform: (operation, input) => operations.perform(operation, caller, input),
  }
}

export function send(
  { layout }: Pick<PortalServices, 'layout'>,
  response: Response,
  person: Caller | null,
  answer: Answer,
): void {
  response.setHeader('Cache-Control', 'no-store')
  if ('redirect' in answer) {
    response.redirect(303, answer.redirect)
    return
  }
  if ('file' in answer) {
    for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value)
    // `setHeader` and `end`, since express would add a charset to the type.
    response.status(200).setHeader('Content-Type', answer.type).end(answer.file)
    return
  }
  const html = 'fragment' in answer ? renderFragment(answer.fragment) : layout({ ...answer, person })
  response
    .status(answer.status ?? 200)
    .type('html')
    .send(html)
}

/** A page goes to the sign-in page and comes back to itself; a part of a page takes the whole page there. */
function toSignIn(request: Request, response: Response): void {
  const back = request.method === 'GET' ? request.originalUrl : '/'
  if (isFragment(request)) {
    response.status(401).setHeader('HX-Redirect', '/').end()
    return
  }
  response.redirect(303, back === '/' ? '/' : `/?next=${encodeURIComponent(back)}`)
}

/** What went wrong, as a page in plain words. A part of a page is left as it stands: the next change draws it anew. */
export function sendTrouble(
  services: PortalServices,
  request: Request,
  response: Response,
  error: unknown,
  person: Caller | null,
): void {
  const problem = problemOf(error)
  if (problem.status >= 500) {
    services.log.error(
      { method: request.method, path: request.path, error: messageOf(error) },
      'request failed',
    )
  }
  if (error instanceof Refusal && error.extras.retryAfterSeconds !== undefined) {
    response.setHeader('Retry-After', String(error.extras.retryAfterSeconds))
  }
  if (problem.status === 503) response.setHeader('Retry-After', '5')
  if (isFragment(request)) response.setHeader('HX-Reswap', 'none')
  send(services, response, person, {
    title: troubleTitle(problem.status),
    current: '',
    body: <Trouble problem={problem} />,
    status: problem.status,
  })
}

function isFragment(request: Request): boolean {
  return request.get('HX-Request') === 'true'
}
