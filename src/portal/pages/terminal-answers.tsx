import type { Request, Response } from 'express'
import type { VNode } from 'preact'
import { cookieOf } from '../../api/callers.ts'
import { problemOf } from '../../api/problem.ts'
import { addressOf } from '../../api/rest.ts'
import { messageOf, notFound, type Refusal } from '../../base/errors.ts'
import { type Caller, nobody } from '../../identity/person.ts'
import { findTerminal } from '../../operations/find-terminal.ts'
import { sightTerminal } from '../../operations/manage-terminals.ts'
import type { LeaseView } from '../../operations/shapes/lease.ts'
import { showLease } from '../../operations/show-lease.ts'
import { callerOf, cookieOptions, stopSession } from '../session.ts'
import { type Fields, filled, paramOf, type PortalServices } from '../visit.ts'
import { Back, Ended, type LeaseProps, Login, Preparing, Ready, terminalPage } from './terminal.tsx'

/** Marks a browser that was signed in here: once the desktop has ended, so has the session, for the next person's sake. */
export const sharedCookie = 'jackdaw_terminal'

export interface Exchange {
  desk: PortalServices
  request: Request
  response: Response
}

interface Shown {
  status: number
  title: string
  body: VNode
  /** After how many seconds the browser goes where by itself. */
  refresh?: string
}

function show({ desk, response }: Exchange, { status, ...page }: Shown): void {
  const html = terminalPage({ site: desk.site.name, ...page })
  response.status(status).setHeader('Cache-Control', 'no-store').type('html').send(html)
}

/** A handler whose failures are told in the terminal's own plain page. */
export function told(desk: PortalServices, handler: (exchange: Exchange) => Promise<void>) {
  return async (request: Request, response: Response): Promise<void> => {
    const exchange = { desk, request, response }
    try {
      await handler(exchange)
    } catch (error) {
      const { status, detail } = problemOf(error)
      if (status >= 500) desk.log.error({ path: request.path, error: messageOf(error) }, 'request failed')
      const body = (
        <>
          <p>{detail}</p>
          <Back>Back to the start</Back>
        </>
      )
      show(exchange, { status, title: 'That did not work', body })
    }
  }
}

/** Does something with a lease for whoever is signed in; anybody else is asked to log in. */
export function withLease(
  desk: PortalServices,
  work: (exchange: Exchange, caller: Caller, id: string) => Promise<void>,
) {
  return told(desk, async (exchange) => {
    const caller = await callerOf(exchange.request, desk.callers)
    if (caller === null) {
      exchange.response.redirect(303, '/desktop')
      return
    }
    await work(exchange, caller, paramOf(exchange.request, 'id'))
  })
}

/** The page to log in on, or to open a desktop on for whoever has logged in already. */
export async function login(
  exchange: Exchange,
  fields: Fields,
  facts: { person: Caller | null; refusal?: Refusal; note?: string },
): Promise<void> {
  const { desk, request, response } = exchange
  const { person, refusal, note } = facts
  const { name, mac } = claimOf(fields)
  const claim = { ...(name === undefined ? {} : { name }), ...(mac === undefined ? {} : { mac }) }
  const device = nobody('portal', addressOf(request))
  if (mac !== undefined) await desk.operations.perform(sightTerminal, device, claimOf(fields))
  const { terminal } = await desk.operations.perform(findTerminal, device, claim)
  const own = terminal?.pool ?? undefined
  const seconds = refusal?.extras.retryAfterSeconds
  if (seconds !== undefined) response.setHeader('Retry-After', String(seconds))
  const body = (
    <Login
      pools={desk.site.pools}
      pool={fields.get('pool') ?? own}
      user={fields.get('user') ?? ''}
      person={person?.name}
      terminal={filled(fields, 'terminal', 'mac', 'kind')}
      trouble={refusal?.message}
      note={note}
    />
  )
  show(exchange, { status: refusal?.status ?? 200, title: 'Your desktop', body })
}

/** What a terminal says of itself, in the query of its start page or in the form that this became. */
export function claimOf(fields: Fields): { name?: string; mac?: string; kind?: string } {
  const { terminal, ...rest } = filled(fields, 'terminal', 'mac', 'kind')
  return { ...rest, ...(terminal === undefined ? {} : { name: terminal }) }
}

/** The lease of whoever is signed in here. @throws Refusal `not_found` for anybody else's, whatever an operator may see. */
export async function ownLease({ operations }: PortalServices, caller: Caller, id: string) {
  const lease = await operations.perform(showLease, caller, { id })
  if (lease.user !== caller.user) throw notFound('lease', id)
  return lease
}

/** How a lease stands. `start` goes on to the RDP file by itself as soon as there is one. */
export async function leasePage(
  exchange: Exchange,
  caller: Caller,
  id: string,
  how: { start?: boolean; refusal?: Refusal; note?: string },
): Promise<void> {
  const { desk, request } = exchange
  const lease = await ownLease(desk, caller, id)
  if (lease.state === 'ended' && cookieOf(request, sharedCookie) !== undefined) await leave(exchange)
  const moment = { now: desk.clock.now(), zone: desk.site.timezone }
  show(exchange, shownLease({ lease, ...moment, trouble: how.refusal?.message, note: how.note }, how))
}

/** The start page as the terminal had it: with its pool, and what it said of itself. */
export function startFor({ pool, terminal }: Pick<LeaseView, 'pool' | 'terminal'>): string {
  const said = new URLSearchParams({ pool })
  if (terminal !== null && terminal.name !== null) said.set('terminal', terminal.name)
  return `/desktop?${said.toString()}`
}

function shownLease(props: LeaseProps, how: { start?: boolean; refusal?: Refusal }): Shown {
  const { lease } = props
  const at = `/desktop/lease/${encodeURIComponent(lease.id)}`
  if (lease.state === 'ended') {
    return {
      status: 200,
      title: 'Your session has ended',
      body: <Ended lease={lease} start={startFor(lease)} />,
    }
  }
  if (lease.state === 'preparing') {
    const body = <Preparing {...props} />
    return { status: 202, title: 'Your desktop is being prepared', body, refresh: `2; url=${at}?start=1` }
  }
  const refresh =
    how.start === true && lease.trouble === undefined ? `1; url=${at}/file.rdp` : `60; url=${at}`
  const body = <Ready {...props} />
  const title = lease.trouble === undefined ? 'Your desktop is ready' : 'Your desktop does not answer'
  return { status: how.refusal?.status ?? 200, title, body, refresh }
}

/** Ends the session, so that the next person at this terminal finds nobody signed in. */
export async function leave(exchange: Exchange): Promise<void> {
  const { desk, response } = exchange
  await stopSession(desk, exchange)
  response.clearCookie(sharedCookie, cookieOptions(desk))
}
