import { type Request, type Response, Router } from 'express'
import type { VNode } from 'preact'
import { knownTerminal } from '../../../broker/terminal.ts'
import { cookieOf } from '../../api/callers.ts'
import { problemOf } from '../../api/problem.ts'
import { addressOf } from '../../api/rest.ts'
import { messageOf, notFound, Refusal } from '../../base/errors.ts'
import type { Caller } from '../../identity/person.ts'
import { endLeaseNow } from '../../operations/end-lease.ts'
import { extendLeaseTime } from '../../operations/extend-lease.ts'
import { openDesktop } from '../../operations/open-desktop.ts'
import { showLease } from '../../operations/show-lease.ts'
import { posted, send } from '../serve.tsx'
import { callerOf, cookieOptions, keepSession, openFor, stopSession } from '../session.ts'
import { attempt, type Fields, fieldsOf, filled, paramOf, type PortalServices } from '../visit.ts'
import { rdpAnswer } from './desktops.tsx'
import { Back, Ended, Login, Preparing, Ready, terminalPage } from './terminal.tsx'

/** Marks a browser that was signed in here: once the desktop has ended, so has the session, for the next person's sake. */
const sharedCookie = 'jackdaw_terminal'

interface Exchange {
  request: Request
  response: Response
}

/** `/desktop`: the page that a thin client starts with. */
export function terminalPages(services: PortalServices): Router {
  const { operations, clock, site } = services
  const router = Router()

  function show({ response }: Exchange, status: number, title: string, body: VNode, refresh?: string): void {
    const page = { site: site.name, title, body, ...(refresh === undefined ? {} : { refresh }) }
    response.status(status).setHeader('Cache-Control', 'no-store').type('html').send(terminalPage(page))
  }

  /** A handler whose failures are told in the terminal's own plain page. */
  function told(handler: (exchange: Exchange) => Promise<void>) {
    return async (request: Request, response: Response): Promise<void> => {
      try {
        await handler({ request, response })
      } catch (error) {
        const problem = problemOf(error)
        if (problem.status >= 500) {
          services.log.error({ path: request.path, error: messageOf(error) }, 'request failed')
        }
        const body = (
          <>
            <p>{problem.detail}</p>
            <Back>Back to the start</Back>
          </>
        )
        show({ request, response }, problem.status, 'That did not work', body)
      }
    }
  }

  function login(
    exchange: Exchange,
    fields: Fields,
    person: Caller | null,
    refusal?: Refusal,
    note?: string,
  ): void {
    const { request, response } = exchange
    const said = claimOf(fields)
    const own = knownTerminal(site.terminals, said, addressOf(request))?.pool
    const seconds = refusal?.extras.retryAfterSeconds
    if (seconds !== undefined) response.setHeader('Retry-After', String(seconds))
    const body = (
      <Login
        pools={site.pools}
        pool={fields.get('pool') ?? own}
        user={fields.get('user') ?? ''}
        person={person?.name}
        terminal={filled(fields, 'terminal', 'mac', 'kind')}
        trouble={refusal?.message}
        note={note}
      />
    )
    show(exchange, refusal?.status ?? 200, 'Your desktop', body)
  }

  async function open(exchange: Exchange): Promise<void> {
    const { request } = exchange
    const fields = fieldsOf(request.body)
    const here = await callerOf(request, services.callers)
    const claim = { user: fields.get('user') ?? '', password: fields.exact('password') }
    const again = here !== null && claim.user === ''
    const outcome = await attempt(async () => {
      if (!again && (claim.user === '' || claim.password === '')) throw emptyClaim()
      const opened = again ? undefined : await openFor(services, request, claim)
      const caller = opened?.caller ?? here
      if (caller === null) throw emptyClaim()
      const input = { pool: fields.get('pool') ?? '', terminal: { kind: 'browser', ...claimOf(fields) } }
      const answer = await operations.perform(openDesktop, caller, input)
      return { opened, caller, lease: answer.lease }
    })
    if ('refusal' in outcome) return login(exchange, fields, again ? here : null, outcome.refusal)
    const { opened, caller, lease } = outcome.done
    if (opened !== undefined) {
      await keepSession(services, exchange, opened, 'shared')
      exchange.response.cookie(sharedCookie, '1', cookieOptions(services))
    }
    await leasePage(exchange, caller, lease, { start: true })
  }

  /** The lease of whoever is signed in here. @throws Refusal `not_found` for anybody else's, an operator's view included. */
  async function own(caller: Caller, id: string) {
    const lease = await operations.perform(showLease, caller, { id })
    if (lease.user !== caller.user) throw notFound('lease', id)
    return lease
  }

  async function leasePage(
    exchange: Exchange,
    caller: Caller,
    id: string,
    how: { start?: boolean; refusal?: Refusal; note?: string },
  ): Promise<void> {
    const lease = await own(caller, id)
    const [now, zone, at] = [clock.now(), site.timezone, `/desktop/lease/${encodeURIComponent(id)}`]
    const props = { lease, now, zone, trouble: how.refusal?.message, note: how.note }
    if (lease.state === 'ended') {
      if (cookieOf(exchange.request, sharedCookie) !== undefined) await leave(exchange)
      return show(exchange, 200, 'Your session has ended', <Ended lease={lease} />)
    }
    if (lease.state === 'preparing') {
      const body = <Preparing {...props} />
      return show(exchange, 202, 'Your desktop is being prepared', body, `2; url=${at}?start=1`)
    }
    const next = how.start === true ? `1; url=${at}/file.rdp` : `60; url=${at}`
    show(exchange, how.refusal?.status ?? 200, 'Your desktop is ready', <Ready {...props} />, next)
  }

  async function leave(exchange: Exchange): Promise<void> {
    await stopSession(services, exchange)
    exchange.response.clearCookie(sharedCookie, cookieOptions(services))
  }

  /** Does something with a lease for whoever is signed in; anybody else is asked to log in. */
  function withLease(work: (exchange: Exchange, caller: Caller, id: string) => Promise<void>) {
    return told(async (exchange) => {
      const caller = await callerOf(exchange.request, services.callers)
      if (caller === null) return exchange.response.redirect(303, '/desktop')
      await work(exchange, caller, paramOf(exchange.request, 'id'))
    })
  }

  router.get(
    '/desktop',
    told(async (exchange) => {
      const { request } = exchange
      const fields = fieldsOf(request.query)
      const note = fields.get('left') === undefined ? undefined : 'You are logged off.'
      login(exchange, fields, await callerOf(request, services.callers), undefined, note)
    }),
  )
  router.post('/desktop', ...posted(services), told(open))
  router.post(
    '/desktop/log-off',
    ...posted(services),
    told(async (exchange) => {
      await leave(exchange)
      exchange.response.redirect(303, '/desktop?left=1')
    }),
  )
  router.get(
    '/desktop/lease/:id',
    withLease((exchange, caller, id) =>
      leasePage(exchange, caller, id, { start: fieldsOf(exchange.request.query).get('start') !== undefined }),
    ),
  )
  router.get(
    '/desktop/lease/:id/file.rdp',
    withLease(async (exchange, caller, id) => {
      const lease = await own(caller, id)
      const [{ response }, back] = [exchange, `/desktop/lease/${encodeURIComponent(id)}`]
      if (lease.state === 'ended' || lease.state === 'preparing') return response.redirect(303, back)
      const { name, mac, kind } = lease.terminal ?? {}
      const terminal = filled(fieldsOf({ name, mac, kind: kind ?? 'browser' }), 'name', 'mac', 'kind')
      const answer = await operations.perform(openDesktop, caller, { pool: lease.pool, terminal })
      send(services, response, caller, rdpAnswer(answer) ?? { redirect: back })
    }),
  )
  router.post(
    '/desktop/lease/:id/extend',
    ...posted(services),
    withLease(async (exchange, caller, id) => {
      await own(caller, id)
      const outcome = await attempt(() => operations.perform(extendLeaseTime, caller, { id, minutes: 30 }))
      const told = 'refusal' in outcome ? { refusal: outcome.refusal } : { note: 'You have 30 minutes more.' }
      await leasePage(exchange, caller, id, told)
    }),
  )
  router.post(
    '/desktop/lease/:id/end',
    ...posted(services),
    withLease(async (exchange, caller, id) => {
      await own(caller, id)
      await operations.perform(endLeaseNow, caller, { id, reason: 'logged_off' })
      await leave(exchange)
      exchange.response.redirect(303, '/desktop?left=1')
    }),
  )
  return router
}

/** What the terminal says of itself, in the query of its start page or in the form that this became. */
function claimOf(fields: Fields): { name?: string; mac?: string; kind?: string } {
  const { terminal, mac, kind } = filled(fields, 'terminal', 'mac', 'kind')
  return {
    ...(terminal === undefined ? {} : { name: terminal }),
    ...(mac === undefined ? {} : { mac }),
    ...(kind === undefined ? {} : { kind }),
  }
}

function emptyClaim(): Refusal {
  return new Refusal('bad_credentials', 'Type both your user name and your password.')
}
