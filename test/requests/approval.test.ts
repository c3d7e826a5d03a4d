import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkDecision, checkMayUse, findApprovers, mayUseBudget } from '../../src/requests/approval.ts'
import { approve, cancel, expire } from '../../src/requests/request.ts'
import { aDecision, aRequest, refusalOf, zone } from './a-request.ts'

const people: Record<string, string[]> = {
  alice: ['alice'],
  bob: ['bob'],
  carol: ['carol'],
  olga: ['olga'],
  'budget-holders': ['bob', 'carol'],
}
const resolve = (name: string) => (people[name] ?? []).map((user) => ({ user }))

function approvers(
  budget: { holders: string[]; delegates?: string[] },
  requester = 'alice',
  fallback = ['olga'],
) {
  const named = { code: 'T-1042', members: [], delegates: [], ...budget }
  return findApprovers({ requester, budget: named, fallback, resolve })
}

describe('approvers', () => {
  test('are the holders, then the delegates, each once and with the reason', () => {
    expect(approvers({ holders: ['budget-holders'], delegates: ['olga', 'bob'] })).toEqual([
      { user: 'bob', why: 'holder of T-1042' },
      { user: 'carol', why: 'holder of T-1042' },
      { user: 'olga', why: 'delegate for T-1042' },
    ])
  })

  test('do not include the requester', () => {
    expect(approvers({ holders: ['budget-holders'] }, 'bob').map(({ user }) => user)).toEqual(['carol'])
  })

  test('are the fallback when the requester is the only holder', () => {
    expect(approvers({ holders: ['bob'] }, 'bob')).toEqual([
      { user: 'olga', why: 'fallback, as T-1042 has no other holder than the requester' },
    ])
  })

  test('are the fallback when the directory knows none of the holders', () => {
    expect(approvers({ holders: ['gone'] })).toEqual([
      { user: 'olga', why: 'fallback, as T-1042 has no holder that the directory knows' },
    ])
  })

  test('a request that nobody could decide on is refused, with the remedy', () => {
    const refusal = refusalOf(() => approvers({ holders: ['bob'] }, 'bob', ['bob', 'gone']))

    expect(refusal).toMatchObject({ code: 'no_approver' })
    expect(String(refusal)).toContain('Ask an operator to name a delegate for T-1042')
  })

  test('never include the requester and never repeat, whoever holds what', () => {
    const names = fc.array(fc.constantFrom(...Object.keys(people), 'gone'), { maxLength: 4 })

    fc.assert(
      fc.property(names, names, fc.constantFrom('alice', 'bob', 'carol'), (holders, delegates, requester) => {
        const users = approvers({ holders, delegates }, requester).map(({ user }) => user)
        expect(users.length).toBeGreaterThan(0)
        expect(users).not.toContain(requester)
        expect(new Set(users).size).toBe(users.length)
      }),
    )
  })
})

const alice = { user: 'alice', groups: ['developers'], roles: [] }
const bob = { user: 'bob', groups: ['budget-holders'], roles: [] }
const olga = { user: 'olga', groups: ['operators'], roles: ['operator'] }
const moment = { now: '2026-01-02T12:00:00.000Z', zone }

describe('a decision', () => {
  test.each([
    ['its approver approves', bob, { verdict: 'approved', reason: null }],
    ['its approver denies with a reason', bob, { verdict: 'denied', reason: 'too dear' }],
    ['its requester takes it back', alice, { verdict: 'cancelled', reason: null }],
    ['an operator takes it back', olga, { verdict: 'cancelled', reason: null }],
  ] as const)('stands when %s', (_what, caller, decision) => {
    expect(refusalOf(() => checkDecision(aRequest(), caller, decision, moment))).toBeUndefined()
  })

  test.each([
    [
      'the requester approves',
      alice,
      'approved',
      'own_request',
      'R-12 is your own request. It is for bob to decide.',
    ],
    [
      'somebody else approves',
      olga,
      'approved',
      'not_an_approver',
      'You are not an approver of R-12. It is for bob to decide.',
    ],
    [
      'an approver denies without a reason',
      bob,
      'denied',
      'reason_required',
      'Say why R-12 is denied; alice will read it.',
    ],
    [
      'an approver takes it back',
      bob,
      'cancelled',
      'forbidden',
      "R-12 is alice's to take back. An approver can deny it.",
    ],
  ] as const)('is refused when %s', (_what, caller, verdict, code, message) => {
    const refusal = refusalOf(() => checkDecision(aRequest(), caller, { verdict, reason: ' ' }, moment))

    expect(refusal).toMatchObject({ code, message })
  })

  test.each([
    [
      'approved',
      approve(aRequest(), aDecision()),
      'R-12 was approved by bob on 2026-01-01 14:00. There is nothing left to decide.',
    ],
    [
      'taken back',
      cancel(aRequest(), aDecision({ verdict: 'cancelled', by: 'alice' })),
      'R-12 was cancelled by alice on 2026-01-01 14:00. There is nothing left to decide.',
    ],
    [
      'expired',
      expire(aRequest(), '2026-01-04T12:00:00.000Z'),
      'R-12 is expired since 2026-01-04 13:00. There is nothing left to decide.',
    ],
  ])('comes too late for one that was %s: who and when is said', (_state, request, message) => {
    const refusal = refusalOf(() =>
      checkDecision(request, bob, { verdict: 'denied', reason: 'too dear' }, moment),
    )

    expect(refusal).toMatchObject({ code: 'already_decided', message })
  })

  test('comes too late after the end of the request, though no sweep has noticed yet', () => {
    const late = { now: '2026-01-04T12:00:00.000Z', zone }

    const refusal = refusalOf(() =>
      checkDecision(aRequest(), bob, { verdict: 'approved', reason: null }, late),
    )

    expect(refusal).toMatchObject({
      code: 'already_decided',
      message: 'R-12 expired on 2026-01-04 13:00 without a decision. alice can ask again.',
    })
  })
})

const budgets = [
  { code: 'T-1042', holders: ['bob'], members: ['Developers'], delegates: [] },
  { code: 'T-2000', holders: ['carol'], members: [], delegates: ['bob'] },
]

describe('a budget', () => {
  test.each([
    ['its holder', bob, 0, true],
    ['a delegate', bob, 1, true],
    ['a member through a group', alice, 0, true],
    ['somebody else', alice, 1, false],
  ])('whether %s may use it', (_who, person, index, expected) => {
    const budget = budgets[index]

    expect(budget !== undefined && mayUseBudget(person, budget)).toBe(expected)
  })

  test('is found however its code was typed', () => {
    expect(checkMayUse(alice, 't-1042', budgets, { today: '2026-11-23' }).code).toBe('T-1042')
  })

  test('that nobody knows is refused with those that the person may use', () => {
    const refusal = refusalOf(() => checkMayUse(bob, 'T-1', budgets, { today: '2026-11-23' }))

    expect(refusal).toMatchObject({
      code: 'unknown_budget',
      message: 'There is no budget T-1. You may use T-1042 or T-2000.',
      extras: { suggestions: ['T-1042', 'T-2000'] },
    })
  })

  test('of others is refused with its holders and those that the person may use', () => {
    const refusal = refusalOf(() => checkMayUse(alice, 'T-2000', budgets, { today: '2026-11-23' }))

    expect(refusal).toMatchObject({
      code: 'not_a_member',
      message: 'T-2000 is not yours to use; its holders are carol. You may use T-1042.',
      extras: { suggestions: ['T-1042'] },
    })
  })
})
