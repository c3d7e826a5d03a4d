import type { Request, Response } from 'express'
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

/**
 * Signs somebody in and gives their browser the cookie. `shared` is for a terminal: the cookie goes with the browser.
 * @throws Refusal `bad_credentials`, `too_many_attempts`, `invalid_input`.
 */
export async function startSession(
  desk: Desk,
  { request, response }: { request: Request; response: Response },
  claim: { user: string; password: string; shared: boolean },
): Promise<Caller> {
  const address = addressOf(request)
  const { user, password, shared } = claim
  const { token, expiresAt } = await desk.operations.perform(openSession, nobody('portal', address), {
    user,
    password,
  })
  const caller = await desk.callers.bySession(token, { via: 'portal', address })
  await stopSession(desk, { request, response })
  response.cookie(sessionCookie, token, {
    ...cookieOptions(desk),
    ...(shared ? {} : { expires: new Date(expiresAt) }),
  })
  return caller
}

/** Ends the session of a request, if it has one, and takes the cookie back. */
export async function stopSession(
  desk: Desk,
  { request, response }: { request: Request; response: Response },
): Promise<void> {
  const token = cookieOf(request, sessionCookie)
  const caller = await callerOf(request, desk.callers)
  if (token !== undefined && caller !== null) {
    await desk.operations.perform(closeSession, caller, { token })
  }
  response.clearCookie(sessionCookie, cookieOptions(desk))
}

/** Lax: a link from chat opens the page signed in, but no other site's form is sent with it. */
export function cookieOptions({ site }: Pick<Desk, 'site'>) {
  return { httpOnly: true, sameSite: 'lax', path: '/', secure: site.publicUrl.startsWith('https:') } as const
}
