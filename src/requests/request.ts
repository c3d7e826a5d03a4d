import { earliest, type Instant, instant, latest, millis } from '../base/clock.ts'
import { addDuration, type Duration, roughMillis } from '../base/duration.ts'
import type { LocalDay } from '../base/period.ts'
import { type Move, move, states } from '../base/states.ts'
import type { Via } from '../identity/person.ts'
import type { ApprovalPolicy } from './approval.ts'

export type RequestState =
  'pending' | 'approved' | 'denied' | 'cancelled' | 'expired' | 'failed' | 'fulfilled'

export const requestStates = states<RequestState>('Request', {
  pending: ['approved', 'denied', 'cancelled', 'expired'],
  approved: ['fulfilled', 'failed'],
  denied: [],
  cancelled: [],
  expired: [],
  failed: [],
  fulfilled: [],
})

/** Somebody who may decide, and the reason why. */
export interface Approver {
  user: string
  /** `holder`, `delegate` or `fallback`, with what of, for a person to read. */
  why: string
}

export interface Decision {
  by: string
  at: Instant
  verdict: 'approved' | 'denied' | 'cancelled'
  reason: string | null
  via: Via
}

/**
 * What is asked for: new machines; for one that exists more time or room, or that others have and pay it; more time on a
 * desktop.
 */
export type Ask =
  | {
      kind: 'machines'
      count: number
      name: string | null
      host: string | null
      /** The group of hosts that they are to be on; absent is the one for servers. */
      group?: string
      /** Set where no two of them may be on one host. */
      apart?: boolean
      until: Instant | null
      days: number | null
      /** The image of the library that they are made from, in the place of the template. */
      image?: string
      /** The image that each has a copy of, as a second disk. */
      data?: string
      /** The empty disk of each, in the place of the template's: what it boots from is a disc, or the network. */
      blank?: { diskGb: number; disc: string | null }
      /** Set where they are on a network of their own. */
      isolated?: boolean
    }
  | { kind: 'extension'; machine: string; until: Instant }
  /** More time on a desktop than its pool allows by itself. */
  | { kind: 'lease'; lease: string; pool: string; desktop: string; until: Instant }
  | { kind: 'resize'; machine: string; cpus: number; memoryGb: number }
  | {
      kind: 'transfer'
      machine: string
      owner: string
      /** Who had it and which budget paid it when this was asked for. */
      was: { owner: string; budget: string }
      /** The day that it counts from; absent where that is the day on which it is agreed to. */
      from?: LocalDay
      until: Instant | null
    }

/** A person's request. `id` is `R-` and a number that people can say aloud. */
export interface Request {
  id: string
  number: number
  state: RequestState
  history: Move<RequestState>[]
  requester: string
  ask: Ask
  template: string
  cpus: number
  memoryGb: number
  description: string
  purpose: string
  administrators: string[]
  /** Empty where what is asked for costs nobody anything. */
  budget: string
  /** The quote as it stood when it was asked for; kept so that what was approved can be shown later. */
  quote: {
    id: string
    /** Of everything that it says; absent where it was made without one. */
    hash?: string
    totalMilli: number
    perDayMilli: number
    validUntil?: Instant
  }
  /** Quotes that its changes have put in the past, oldest first; absent while it was never changed. */
  replaced?: { id: string; totalMilli: number }[]
  approvers: Approver[]
  decisions: Decision[]
  /** Names of the machines it made or is about. */
  machines: string[]
  createdAt: Instant
  expiresAt: Instant
  /** How often its approvers were reminded. */
  reminded: number
  /** The end before which the site's fallback was asked too. Absent while nobody else was. */
  widenedFor?: Instant
  /** The next instant at which something is due about it (a reminder to approvers, its end). */
  attentionAt: Instant | null
  failure: string | null
}

/** @throws Refusal `wrong_state`, like all of these moves, when the request is not where the move starts. */
export function approve(request: Request, decision: Decision): Request {
  return decided(request, 'approved', decision)
}

export function deny(request: Request, decision: Decision): Request {
  return decided(request, 'denied', decision)
}

export function cancel(request: Request, decision: Decision): Request {
  return decided(request, 'cancelled', decision)
}

/** Nobody decided in time. */
export function expire(request: Request, at: Instant): Request {
  return { ...move(requestStates, request, 'expired', { at }), attentionAt: null }
}

/** It was approved and could not be carried out. */
export function fail(request: Request, at: Instant, failure: string): Request {
  return { ...move(requestStates, request, 'failed', { at, reason: failure }), failure, attentionAt: null }
}

/** Everything that was asked for is there. */
export function fulfil(request: Request, at: Instant): Request {
  return { ...move(requestStates, request, 'fulfilled', { at }), attentionAt: null }
}

/** What is due about a request now. Its end goes before a reminder. */
export function dueForRequest(
  request: Request,
  policy: ApprovalPolicy,
  now: Instant,
  zone: string,
): 'expire' | 'widen' | 'remind' | 'wait' {
  if (request.state !== 'pending') return 'wait'
  if (request.expiresAt <= now) return 'expire'
  const widening = wideningAt(request, policy)
  if (widening !== null && widening <= now) return 'widen'
  const next = reminderAt(request, request.reminded, policy, zone)
  return next !== null && next <= now ? 'remind' : 'wait'
}

/** When something is due about a request next: a reminder to its approvers, or its end. Null once it is decided. */
export function requestAttention(request: Request, policy: ApprovalPolicy, zone: string): Instant | null {
  if (request.state !== 'pending') return null
  const reminder = reminderAt(request, request.reminded, policy, zone)
  return earliest(reminder, wideningAt(request, policy), request.expiresAt)
}

/**
 * The request once the site's fallback may decide on it too. Whoever could decide before still can.
 * @param others people of the fallback who may decide
 */
export function widened(
  request: Request,
  others: readonly Approver[],
  policy: ApprovalPolicy,
  zone: string,
): Request {
  const known = new Set([request.requester, ...request.approvers.map(({ user }) => user)])
  const more = others.filter(({ user }) => !known.has(user))
  const next = { ...request, approvers: [...request.approvers, ...more], widenedFor: request.expiresAt }
  return { ...next, attentionAt: requestAttention(next, policy, zone) }
}

/** When the fallback is asked too: once half of the time has gone by without a decision. Null when it has been. */
function wideningAt(request: Request, policy: ApprovalPolicy): Instant | null {
  if (policy.fallback.length === 0 || request.widenedFor === request.expiresAt) return null
  const asked = request.history.findLast(({ state }) => state === 'pending')?.at ?? request.createdAt
  return instant(Math.floor((millis(asked) + millis(latest(request.expiresAt, asked))) / 2))
}

/** The request once its approvers have been reminded. Reminders that were missed meanwhile count as this one. */
export function reminded(request: Request, policy: ApprovalPolicy, now: Instant, zone: string): Request {
  let count = request.reminded
  for (;;) {
    const at = reminderAt(request, count, policy, zone)
    if (at === null || at > now) break
    count += 1
  }
  const next = { ...request, reminded: count }
  return { ...next, attentionAt: requestAttention(next, policy, zone) }
}

function decided(request: Request, state: Decision['verdict'], decision: Decision): Request {
  const why = decision.reason === null ? {} : { reason: decision.reason }
  const next = move(requestStates, request, state, { at: decision.at, ...why })
  return { ...next, decisions: [...request.decisions, decision], attentionAt: null }
}

/** When approvers are reminded after `count` reminders; null when that would not be before the end. */
function reminderAt(request: Request, count: number, policy: ApprovalPolicy, zone: string): Instant | null {
  const pause = roughMillis(policy.remindAfter)
  // Each pause is twice the one before, so that together they are 1, 3, 7, 15 times the first.
  const times = 2 ** (count + 1) - 1
  const term = millis(latest(request.expiresAt, request.createdAt)) - millis(request.createdAt)
  // A rough day or month differs from a real one; a multiple that is far beyond the end may be no instant at all.
  if (pause <= 0 || pause * times > 2 * term) return null
  const at = addDuration(request.createdAt, scaled(policy.remindAfter, times), zone)
  return at < request.expiresAt ? at : null
}

function scaled({ months, days, millis: exact }: Duration, times: number): Duration {
  return { months: months * times, days: days * times, millis: exact * times }
}

/** The order of requests: R-9 before R-10, though as text R-10 would come first. */
export function requestOrder({ number }: Pick<Request, 'number'>): string {
  return String(number).padStart(12, '0')
}
