import { describe, expect, test } from 'vitest'
import { collections, keyList } from '../../src/store/collections.ts'
import { aDesktop, aJob, aLease, aMachine, aRequest, second } from './documents.ts'

const soon = second(5)

describe('what a machine is found by', () => {
  const { indexes } = collections.machines

  test.each([
    ['a server without an owner', aMachine({ owner: null }), 'yes'],
    ['a server with an owner', aMachine({ owner: 'alice' }), null],
    ['a desktop, which answers to its pool', aMachine({ owner: null, pool: 'office' }), null],
    ['one that is deleted', aMachine({ owner: null, state: 'deleted' }), null],
    ['one that has failed', aMachine({ owner: null, state: 'failed' }), null],
  ])('as an orphan: %s', (_, machine, expected) => {
    expect(indexes.orphan(machine)).toBe(expected)
  })

  test('by owner, state, budget, host, pool and what is due, and by nothing where there is none', () => {
    const machine = aMachine({ attentionAt: soon, pool: 'office' })
    const bare = aMachine({ owner: null, budget: null, host: null, pool: null, attentionAt: null })

    const keys = [indexes.owner, indexes.state, indexes.budget, indexes.host, indexes.pool, indexes.attention]

    expect(keys.map((key) => key(machine))).toEqual([
      'alice',
      'running',
      'T-1042',
      'cernwod01',
      'office',
      soon,
    ])
    expect(keys.map((key) => key(bare))).toEqual([null, 'running', null, null, null, null])
  })
})

test.each([
  ['pending', ['bob']],
  ['approved', []],
  ['cancelled', []],
] as const)('a request that is %s waits for %o', (state, expected) => {
  expect(keyList(collections.requests.indexes.approver(aRequest(1, { state })))).toEqual(expected)
})

test('requests are in the order of their numbers', () => {
  const order = [aRequest(9), aRequest(10), aRequest(100)].map((request) =>
    collections.requests.order(request),
  )

  expect([...order].sort()).toEqual(order)
})

test.each([
  ['spare', 'office'],
  ['leased', null],
  ['resetting', null],
  ['quarantined', null],
] as const)('a desktop that is %s is free in %s', (state, expected) => {
  expect(collections.desktops.indexes.free(aDesktop({ state }))).toBe(expected)
})

test("a person's own desktop is found by pool and person", () => {
  const { person } = collections.desktops.indexes

  expect(person(aDesktop({ person: 'carol' }))).toBe('office|carol')
  expect(person(aDesktop())).toBeNull()
})

describe('what a lease is found by', () => {
  const { indexes } = collections.leases
  const open = [indexes['open-desktop'], indexes['open-user'], indexes['open-pool'], indexes.ticket]

  test.each([
    ['is open', aLease(), ['desk1', 'office|carol', 'office', 'fingerprint']],
    ['has no desktop yet', aLease({ desktop: null }), [null, 'office|carol', 'office', 'fingerprint']],
    ['has ended', aLease({ state: 'ended' }), [null, null, null, null]],
  ])('while it %s', (_, lease, expected) => {
    expect(open.map((key) => key(lease))).toEqual(expected)
  })

  test.each([
    ['preparing', null, 'office'],
    ['preparing', 'desk1', null],
    ['offered', 'desk1', null],
  ] as const)('%s with desktop %s: it waits in %s', (state, desktop, expected) => {
    expect(indexes.waiting(aLease({ state, desktop }))).toBe(expected)
  })

  test('when it ended, and when something is due about it', () => {
    const lease = aLease({ state: 'ended', endedAt: soon, attentionAt: soon })

    expect([indexes.ended(lease), indexes.attention(lease)]).toEqual([soon, soon])
    expect([indexes.ended(aLease()), indexes.attention(aLease())]).toEqual([null, null])
  })
})

test.each([
  ['queued', { due: soon, taken: null, subject: 'machine:web1', ended: null }],
  ['running', { due: null, taken: soon, subject: 'machine:web1', ended: null }],
  ['done', { due: null, taken: null, subject: null, ended: soon }],
] as const)('a job that is %s is found by %o', (state, expected) => {
  const job = aJob({ state, dueAt: soon, takenUntil: soon, endedAt: state === 'done' ? soon : null })
  const { due, taken, subject, ended } = collections.jobs.indexes

  const keys = { due: due(job), taken: taken(job), subject: subject(job), ended: ended(job) }

  expect(keys).toEqual(expected)
})
