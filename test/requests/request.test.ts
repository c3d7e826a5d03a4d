import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plusMillis } from '../../src/base/clock.ts'
import { canMove } from '../../src/base/states.ts'
import {
  approve,
  cancel,
  deny,
  dueForRequest,
  expire,
  fail,
  fulfil,
  reminded,
  widened,
  type Request,
  requestAttention,
  requestStates,
} from '../../src/requests/request.ts'
import { aDecision, anApprovalPolicy, aRequest, refusalOf, zone } from './a-request.ts'

const policy = anApprovalPolicy()
const start = '2026-01-01T12:00:00.000Z'
const later = '2026-01-01T13:00:00.000Z'

function at(minutes: number): string {
  return plusMillis(start, minutes * 60_000)
}

describe('moves', () => {
  test('a decision is kept with the request, and nothing is due about it any more', () => {
    const decision = aDecision({ verdict: 'denied', reason: 'too dear' })

    const denied = deny(aRequest(), decision)

    expect(denied).toMatchObject({ state: 'denied', decisions: [decision], attentionAt: null })
    expect(denied.history.at(-1)).toEqual({ state: 'denied', at: decision.at, reason: 'too dear' })
  })

  test('what could not be carried out keeps the failure', () => {
    const failed = fail(approve(aRequest(), aDecision()), later, 'the host is gone')

    expect(failed).toMatchObject({ state: 'failed', failure: 'the host is gone' })
  })

  test('a request that is decided cannot be decided again', () => {
    const refusal = refusalOf(() =>
      approve(cancel(aRequest(), aDecision({ verdict: 'cancelled' })), aDecision()),
    )

    expect(refusal).toMatchObject({ code: 'wrong_state' })
  })

  test('follow the table of states, whatever is tried in whatever order', () => {
    const moves: ((request: Request) => Request)[] = [
      (request) => approve(request, aDecision()),
      (request) => deny(request, aDecision({ verdict: 'denied', reason: 'no' })),
      (request) => cancel(request, aDecision({ verdict: 'cancelled' })),
      (request) => expire(request, later),
      (request) => fail(request, later, 'broken'),
      (request) => fulfil(request, later),
    ]

    fc.assert(
      fc.property(fc.array(fc.constantFrom(...moves), { maxLength: 8 }), (tries) => {
        let request = aRequest()
        for (const attempt of tries) {
          const before = request
          try {
            request = attempt(request)
          } catch (error) {
            expect(error).toMatchObject({ code: 'wrong_state' })
            continue
          }
          expect(canMove(requestStates, before.state, request.state)).toBe(true)
          expect(request.history).toHaveLength(before.history.length + 1)
        }
        expect(request.decisions.length).toBeLessThanOrEqual(1)
        expect(request.attentionAt === null).toBe(request.state !== 'pending')
      }),
    )
  })
})

describe('approvers', () => {
  test.each([
    [0, 15],
    [1, 45],
    [2, 105],
    [3, 225],
  ])('who were reminded %d times are reminded %d minutes after the request', (count, minutes) => {
    expect(requestAttention(aRequest({ reminded: count }), policy, zone)).toBe(at(minutes))
  })

  test('are not reminded at or after the end of the request', () => {
    const alone = anApprovalPolicy({ fallback: [] })

    expect(requestAttention(aRequest({ reminded: 8 }), alone, zone)).toBe(aRequest().expiresAt)
    expect(requestAttention(aRequest({ reminded: 2000 }), alone, zone)).toBe(aRequest().expiresAt)
  })

  test('are reminded once for reminders that were missed meanwhile', () => {
    const request = reminded(aRequest(), policy, at(110), zone)

    expect(request).toMatchObject({ reminded: 3, attentionAt: at(225) })
    expect(dueForRequest(request, policy, at(110), zone)).toBe('wait')
  })

  test('are not reminded where the policy has no pause', () => {
    const never = anApprovalPolicy({ remindAfter: 'PT0S', fallback: [] })

    expect(requestAttention(aRequest(), never, zone)).toBe(aRequest().expiresAt)
  })
})

test.each([
  ['before the first reminder', at(14), 'wait'],
  ['at the first reminder', at(15), 'remind'],
  ['at its end', '2026-01-04T12:00:00.000Z', 'expire'],
] as const)('what is due about a request %s', (_when, now, due) => {
  expect(dueForRequest(aRequest(), policy, now, zone)).toBe(due)
})

test('nothing is due about a request that is decided', () => {
  const request = approve(aRequest(), aDecision())

  expect(dueForRequest(request, policy, '2027-01-01T00:00:00.000Z', zone)).toBe('wait')
  expect(requestAttention(request, policy, zone)).toBeNull()
})

describe('the fallback', () => {
  const olga = { user: 'olga', why: 'fallback' }

  test('is asked too once half of the time has gone by', () => {
    const request = aRequest({ reminded: 8 })
    const half = '2026-01-03T00:00:00.000Z'

    expect(requestAttention(request, policy, zone)).toBe(half)
    expect(dueForRequest(request, policy, plusMillis(half, -1), zone)).toBe('wait')
    expect(dueForRequest(request, policy, half, zone)).toBe('widen')
  })

  test('is added to those who could decide before, once, and never the requester', () => {
    const request = aRequest()
    const others = [olga, { user: request.requester, why: 'fallback' }, ...request.approvers]

    const wider = widened(request, others, policy, zone)

    expect(wider.approvers).toEqual([...request.approvers, olga])
    expect(dueForRequest(wider, policy, plusMillis(wider.expiresAt, -1), zone)).not.toBe('widen')
  })
})

test('each request expires in the end, and is reminded at most once for each pause', () => {
  const pauses = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 30 })

  fc.assert(
    fc.property(pauses, (minutes) => {
      let request = aRequest()
      let reminders = 0
      let now = start
      for (let n = 0; request.state === 'pending'; n++) {
        now = plusMillis(now, (minutes[n % minutes.length] ?? 1) * 60_000)
        const due = dueForRequest(request, policy, now, zone)
        expect(due === 'wait').toBe((requestAttention(request, policy, zone) ?? now) > now)
        if (due === 'expire') request = expire(request, now)
        if (due === 'widen') request = widened(request, [{ user: 'olga', why: 'fallback' }], policy, zone)
        if (due === 'remind') {
          request = reminded(request, policy, now, zone)
          reminders += 1
        }
      }
      expect(now >= request.expiresAt).toBe(true)
      expect(reminders).toBeLessThanOrEqual(request.reminded)
    }),
  )
})
