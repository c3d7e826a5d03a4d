import { Router } from 'express'
import { encodingFor } from '../../../broker/rdp-file.ts'
import { Refusal } from '../../base/errors.ts'
import type { Caller } from '../../identity/person.ts'
import { endLeaseNow } from '../../operations/end-lease.ts'
import { extendLeaseTime } from '../../operations/extend-lease.ts'
import { openDesktop } from '../../operations/open-desktop.ts'
import { posted, send } from '../serve.tsx'
import { callerOf, cookieOptions, keepSession, openFor } from '../session.ts'
import { attempt, fieldsOf, filled, type PortalServices } from '../visit.ts'
import { rdpAnswer } from './desktops.tsx'
import {
  claimOf,
  type Exchange,
  leasePage,
  leave,
  login,
  ownLease,
  sharedCookie,
  startFor,
  told,
  withLease,
} from './terminal-answers.tsx'

/** `/desktop`: the pages that a thin client starts with. They need no script, and little of a browser. */
export function terminalPages(desk: PortalServices): Router {
  const router = Router()
  const form = posted(desk)
  router.get('/desktop', told(desk, start))
  router.post('/desktop', ...form, told(desk, open))
  router.post('/desktop/log-off', ...form, told(desk, logOff))
  router.get('/desktop/lease/:id', withLease(desk, follow))
  router.get('/desktop/lease/:id/file.rdp', withLease(desk, file))
  router.post('/desktop/lease/:id/extend', ...form, withLease(desk, extend))
  router.post('/desktop/lease/:id/end', ...form, withLease(desk, end))
  return router
}

async function start(exchange: Exchange): Promise<void> {
  const { desk, request } = exchange
  const fields = fieldsOf(request.query)
  const person = await callerOf(request, desk.callers)
  const left = fields.get('left') !== undefined && person === null
  await login(exchange, fields, { person, ...(left ? { note: 'You are logged off.' } : {}) })
}

/**
 * Logs in and opens a desktop. The browser is given its session only when both went well, so that somebody who got no
 * desktop leaves nothing behind at the terminal.
 */
async function open(exchange: Exchange): Promise<void> {
  const { desk, request, response } = exchange
  const fields = fieldsOf(request.body)
  const here = await callerOf(request, desk.callers)
  const claim = { user: fields.get('user') ?? '', password: fields.exact('password') }
  const again = claim.user === '' ? here : null
  const outcome = await attempt(async () => {
    if (again === null && (claim.user === '' || claim.password === '')) throw emptyClaim()
    const opened = again === null ? await openFor(desk, request, claim) : undefined
    const caller = opened?.caller ?? again
    if (caller === null) throw emptyClaim()
    const input = { pool: fields.get('pool') ?? '', terminal: { kind: 'browser', ...claimOf(fields) } }
    const { lease } = await desk.operations.perform(openDesktop, caller, input)
    return { opened, caller, lease }
  })
  if ('refusal' in outcome) {
    await login(exchange, fields, { person: again, refusal: outcome.refusal })
    return
  }
  const { opened, caller, lease } = outcome.done
  if (opened !== undefined) {
    await keepSession(desk, exchange, opened, 'shared')
    response.cookie(sharedCookie, '1', cookieOptions(desk))
  }
  await leasePage(exchange, caller, lease, { start: true })
}

function emptyClaim(): Refusal {
  return new Refusal('bad_credentials', 'Type both your user name and your password.')
}

async function follow(exchange: Exchange, caller: Caller, id: string): Promise<void> {
  const isStart = fieldsOf(exchange.request.query).get('start') !== undefined
  await leasePage(exchange, caller, id, { start: isStart })
}

/** The RDP file of a lease that is open: the same lease is opened again, which gives the same file. */
async function file({ desk, request, response }: Exchange, caller: Caller, id: string): Promise<void> {
  const lease = await ownLease(desk, caller, id)
  const back = { redirect: `/desktop/lease/${encodeURIComponent(id)}` }
  if (lease.state === 'ended' || lease.state === 'preparing') {
    send(desk, response, caller, back)
    return
  }
  const { name, mac, kind } = lease.terminal ?? {}
  const said = fieldsOf({ name: name ?? '', mac: mac ?? '', kind: kind ?? 'browser' })
  const known = desk.site.terminals.find((rule) => rule.name === name)
  const encoding = encodingFor({ kind: known?.kind ?? null, userAgent: request.get('User-Agent') })
  const input = { pool: lease.pool, terminal: filled(said, 'name', 'mac', 'kind'), encoding }
  const answer = await desk.operations.perform(openDesktop, caller, input)
  send(desk, response, caller, rdpAnswer(answer) ?? back)
}

async function extend(exchange: Exchange, caller: Caller, id: string): Promise<void> {
  const { desk } = exchange
  await ownLease(desk, caller, id)
  const outcome = await attempt(() => desk.operations.perform(extendLeaseTime, caller, { id, minutes: 30 }))
  if ('refusal' in outcome) {
    await leasePage(exchange, caller, id, { refusal: outcome.refusal })
    return
  }
  const note = 'request' in outcome.done ? askedNote(outcome.done) : 'You have 30 minutes more.'
  await leasePage(exchange, caller, id, { note })
}

function askedNote({
  request,
  extra,
  currency,
}: {
  request: string
  extra: string
  currency: string
}): string {
  const price = Number(extra) === 0 ? '' : ` for ${extra} ${currency}`
  return `That is longer than the pool allows by itself. ${request} asks for 30 minutes more${price}, and this page shows it once somebody has agreed.`
}

async function end(exchange: Exchange, caller: Caller, id: string): Promise<void> {
  const { desk } = exchange
  const lease = await ownLease(desk, caller, id)
  await desk.operations.perform(endLeaseNow, caller, { id, reason: 'logged_off' })
  await leave(exchange)
  exchange.response.redirect(303, `${startFor(lease)}&left=1`)
}

async function logOff(exchange: Exchange): Promise<void> {
  await leave(exchange)
  exchange.response.redirect(303, '/desktop?left=1')
}
