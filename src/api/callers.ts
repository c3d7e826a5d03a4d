import type { Request } from 'express'
import { Refusal } from '../base/errors.ts'
import type { Directory } from '../identity/directory.ts'
import { type Caller, nobody, type Via } from '../identity/person.ts'
import { callerFor } from '../identity/roles.ts'
import type { SignIn } from '../identity/sign-in.ts'
import { findSession } from '../operations/find-session.ts'
import type { Operations } from '../operations/perform.ts'
import type { Site } from '../operations/site.ts'

/** The name of the portal's cookie. `__Host-` would need HTTPS, which a loopback demo has not. */
export const sessionCookie = 'jackdaw_session'

export interface Credentials {
  token: string
  /** Whether it came as a cookie, so that a change needs proof that our own page sent it. */
  ambient: boolean
}

/** Turns what a request carries into a caller. */
export interface Callers {
  /** The caller of a session token. @throws Refusal `not_signed_in` when it is unknown or has ended. */
  bySession(token: string, from: { via: Via; address: string }): Promise<Caller>
  /** The caller of a user name and password (HTTP Basic). @throws Refusal `bad_credentials`, `too_many_attempts`. */
  byPassword(claim: { user: string; password: string }, from: { via: Via; address: string }): Promise<Caller>
}

export interface CallerServices {
  operations: Operations
  directory: Directory
  signIn: SignIn
  site: Site
}

/** Who somebody is now is asked of the directory each time: a session outlives neither its account nor its groups. */
export function openCallers({ operations, directory, signIn, site }: CallerServices): Callers {
  return {
    async bySession(token, { via, address }) {
      const { user } = await operations.perform(findSession, nobody(via, address), { token })
      const person = await directory.find(user)
      if (person === undefined) throw notSignedIn()
      return callerFor(person, site.roles, via, address)
    },
    async byPassword(claim, { via, address }) {
      const person = await signIn.check({ ...claim, address }, AbortSignal.timeout(10_000))
      return callerFor(person, site.roles, via, address)
    },
  }
}

export function notSignedIn(): Refusal {
  return new Refusal(
    'not_signed_in',
    'Sign in first: POST /api/v1/session gives a token, and / a page to do it on.',
  )
}

/** The session token of a request: `Authorization: Bearer` (RFC 6750) before the cookie. */
export function credentialsOf(request: Request): Credentials | undefined {
  const bearer = /^Bearer ([\w.~+/=-]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return { token: bearer, ambient: false }
  const cookie = cookieOf(request, sessionCookie)
  return cookie === undefined ? undefined : { token: cookie, ambient: true }
}

/** User and password of HTTP Basic (RFC 7617). */
export function basicOf(request: Request): { user: string; password: string } | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]{1,1000})$/i.exec(request.headers.authorization ?? '')?.[1]
  if (encoded === undefined) return undefined
  const [, user, password] =
    /^([^:]{0,200}):(.*)$/su.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? []
  return user === undefined || password === undefined ? undefined : { user, password }
}

export function cookieOf(request: Pick<Request, 'headers'>, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='))
  return pairs.find(([key]) => key === name)?.[1]
}

/**
 * Refuses a change that another site's page could have caused: with a cookie, the browser must say that the request
 * comes from our own origin (Fetch Metadata, or the Origin header where a browser is too old for it).
 */
export function checkOrigin(request: Request): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const site = request.headers['sec-fetch-site']
  if (site === 'same-origin' || site === 'none') return
  const { origin } = request.headers
  if (
    site === undefined &&
    origin !== undefined &&
    URL.canParse(origin) &&
    new URL(origin).host === request.headers.host
  ) {
    return
  }
  if (site === undefined && origin === undefined && sameReferer(request)) return
  throw new Refusal(
    'csrf_failed',
    'This came from a page that is not ours, so nothing was done. Open the page again.',
  )
}

function sameReferer(request: Request): boolean {
  const { referer, host } = request.headers
  return referer !== undefined && URL.canParse(referer) && new URL(referer).host === host
}
