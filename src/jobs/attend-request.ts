import { earliest, type Instant, instant, latest, millis, plusMillis } from '../base/clock.ts'
import { messageOf, Outage } from '../base/errors.ts'
import type { PoolDesk } from '../operations/desktops.ts'
import { dropCopies } from '../operations/images.ts'
import { forgetAsking } from '../operations/lease-asked.ts'
import { settingsOf } from '../operations/settings.ts'
import { tellingAt } from '../notices/settings.ts'
import type { Approver } from '../requests/approval.ts'
import { dueForRequest, expire, reminded, type Request, widened } from '../requests/request.ts'
import { redrawCards, tell } from './outbox.ts'
import type { Tools } from './trade.ts'

const againMillis = 300_000

/** Who is behind the site's fallback, where a request is to be put to them; nothing while the directory does not answer. */
export async function fallbackPeople(
  { directory, site, clock, log }: Tools,
  waiting: readonly Request[],
): Promise<readonly string[] | undefined> {
  const policy = site.policies.approvals
  const isWanted = (request: Request) =>
    dueForRequest(request, policy, clock.now(), site.timezone) === 'widen'
  if (!waiting.some(isWanted)) return []
  try {
    const found = await Promise.all(policy.fallback.map((name) => directory.members(name)))
    return found.flat().map(({ user }) => user)
  } catch (error) {
    if (!(error instanceof Outage)) throw error
    log.warn({ error: messageOf(error) }, 'fallback approvers not found')
    return undefined
  }
}

/** Does what is due about a request: its end, the question to more people, or a reminder. */
export async function attendRequest(
  desk: PoolDesk,
  request: Request,
  fallback: readonly string[] | undefined,
): Promise<void> {
  const { tx, now, site } = desk
  const policy = site.policies.approvals
  const about = { kind: 'request', id: request.id } as const
  const due = dueForRequest(request, policy, now, site.timezone)
  if (due === 'expire') {
    await tx.requests.put(expire(request, now))
    await dropCopies(desk, request)
    await forgetAsking(desk, request)
    await tell(desk, { kind: 'request-decided', about, to: [request.requester] })
    return redrawCards(desk, `request:${request.id}`)
  }
  if (due === 'widen') return widen(desk, request, fallback)
  if (due === 'remind') await remind(desk, request)
  await tx.requests.put(reminded(request, policy, now, site.timezone))
}

/** Puts a request that nobody answers to the site's fallback too. */
async function widen(
  desk: PoolDesk,
  request: Request,
  fallback: readonly string[] | undefined,
): Promise<void> {
  const { tx, now, site } = desk
  if (fallback === undefined) {
    const attentionAt = earliest(plusMillis(now, againMillis), request.expiresAt)
    return tx.requests.put({ ...request, attentionAt })
  }
  const asked = request.budget === '' ? 'no operator' : `nobody of ${request.budget}`
  const why = `fallback, as ${asked} has answered`
  const others = [...new Set(fallback)].map((user): Approver => ({ user, why }))
  const next = widened(request, others, site.policies.approvals, site.timezone)
  const more = next.approvers.slice(request.approvers.length).map(({ user }) => user)
  await tx.requests.put(next)
  if (more.length === 0) return
  await tell(desk, { kind: 'approval-wanted', about: { kind: 'request', id: request.id }, to: more })
  await redrawCards(desk, `request:${request.id}`)
}

/** A reminder comes in working hours where there is time for that; one that still waits is enough. */
async function remind(desk: PoolDesk, request: Request): Promise<void> {
  const { tx, now, site } = desk
  const subject = `approval:${request.id}`
  const waiting = await tx.jobs.find('subject', subject)
  if (waiting.some(({ state }) => state === 'queued')) return
  const [first] = request.approvers
  const settings = await settingsOf(tx, first?.user ?? '')
  const dueAt = tellingAt(settings, { now, latest: half(now, request.expiresAt), siteZone: site.timezone })
  const to = request.approvers.map(({ user }) => user)
  await tell(desk, {
    kind: 'approval-reminder',
    about: { kind: 'request', id: request.id },
    to,
    subject,
    dueAt,
  })
}

function half(now: Instant, end: Instant): Instant {
  return instant(Math.floor((millis(now) + millis(latest(now, end))) / 2))
}
