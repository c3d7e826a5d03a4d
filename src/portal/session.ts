import type { Request, Response } from 'express'
import type { Instant } from '../base/clock.ts'
import { type Callers, cookieOf, sessionCookie } from '../api/callers.ts'
import { addressOf } from '../api/rest.ts'
import { Refusal } from '../base/errors.ts'
import { type Caller, nobody } from '../identity/person.ts'
import { closeSession } from '../operations/close-session.ts'
import { openSession } from '../operations/open-session.ts'
import type { PortalServices } from './visit.ts'

/** Who has the session that a request's cookie names; nobody when it has none or it has ended. */
export async function callerOf(request: Request, callers: Callers): Promise<Caller | null> {
  const token = cookieOf(request, sessionCookie)
  if (token === undefined || token === '') return null
  try {
    return await callers.bySession(token, { via: 'portal', address: addressOf(request) })
  } catch (error) {
    if (error instanceof Refusal) return null
    throw error
  }
}

type Desk = Pick<PortalServices, 'operations' | 'callers' | 'site'>

/** A session that was opened, for a browser to be given. */
export interface Opened {
  caller: Caller
  token: string
  expiresAt: Instant
}

/** Checks a password and opens a session. @throws Refusal `bad_credentials`, `too_many_attempts`, `invalid_input`. */
export async function openFor(
  { operations, callers }: Desk,
  request: Request,
  claim: { user: string; password: string },
): Promise<Opened> {
  const address = addressOf(request)
  const { token, expiresAt } = await operations.perform(openSession, nobody('portal', address), claim)
  return { caller: await callers.bySession(token, { via: 'portal', address }), token, expiresAt }
}

/**
 * Gives a browser the cookie of a session, and ends the one that it had before. On a shared terminal the cookie goes
 * with the browser, elsewhere it lasts as long as the session.
 */
export async function keepSession(
  desk: Desk,
  { request, response }: { request: Request; response: Response },
  { token, expiresAt }: Opened,
  browser: 'own' | 'shared',
): Promise<void> {
  await closeOld(desk, request)
  const lasting = browser === 'own' ? { expires: new Date(expiresAt) } : {}
  response.cookie(sessionCookie, token, { ...cookieOptions(desk), ...lasting })
}

/** Ends the session of a request, if it has one, and takes the cookie back. */
export async function stopSession(
  desk: Desk,
  { request, response }: { request: Request; response: Response },
): Promise<void> {
  await closeOld(desk, request)
  response.clearCookie(sessionCookie, cookieOptions(desk))
}

async function closeOld({ operations, callers }: Desk, request: Request): Promise<void> {
  const token = cookieOf(request, sessionCookie)
  const caller = await callerOf(request, callers)
  if (token !== undefined && caller !== null) await operations.perform(closeSession, caller, { token })
}

/** Lax: a link from chat opens the page signed in, but no other site's form is sent with it. */
export function cookieOptions({ site }: Pick<Desk, 'site'>) {
  return { httpOnly: true, sameSite: 'lax', path: '/', secure: site.publicUrl.startsWith('https:') } as const
}
