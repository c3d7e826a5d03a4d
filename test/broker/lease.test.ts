import { describe, expect, test } from 'vitest'
import {
  connectLease,
  disconnectLease,
  dropConnections,
  endLease,
  extendLease,
  type Lease,
  offerLease,
  resumeLease,
  warnLease,
} from '../../broker/lease.ts'
import { dueOf } from '../../broker/lease-terms.ts'
import { after, aLease, anOfferedLease, start, terms } from './samples.ts'

const connected = (): Lease => connectLease(anOfferedLease(), terms, after(1))
const disconnected = (): Lease => disconnectLease(connected(), terms, after(30))
const ended = (): Lease => endLease(anOfferedLease(), 'released', after(5))

describe('the life of a lease', () => {
  test('the time that a desktop takes to make is not taken from the person', () => {
    const lease = anOfferedLease(after(15))

    expect(lease).toMatchObject({ state: 'offered', offeredAt: after(15), endsAt: after(15 + 120) })
  })

  test('every move is a row of its history', () => {
    const lease = endLease(connectLease(disconnected(), terms, after(31)), 'logged_off', after(60))

    expect(lease.history.map(({ state, at, reason }) => [state, at, reason])).toEqual([
      ['preparing', start, undefined],
      ['offered', start, undefined],
      ['connected', after(1), undefined],
      ['disconnected', after(30), undefined],
      ['connected', after(31), undefined],
      ['ended', after(60), 'logged_off'],
    ])
  })

  test('a second connection within milliseconds keeps it connected when the first one closes', () => {
    const twice = connectLease(connected(), terms, after(1))

    const once = disconnectLease(twice, terms, after(1, 1))

    expect(once).toMatchObject({ state: 'connected', connections: 1, disconnectedAt: null })
  })

  test('the last connection that closes leaves it disconnected, and coming back makes it connected again', () => {
    const back = connectLease(disconnected(), terms, after(31))

    expect(disconnected()).toMatchObject({ state: 'disconnected', connections: 0, disconnectedAt: after(30) })
    expect(back).toMatchObject({
      state: 'connected',
      connections: 1,
      disconnectedAt: null,
      connectedAt: after(1),
    })
  })

  test('when the router starts, no connection is left of a lease, whatever was counted', () => {
    const lease = dropConnections(connectLease(connected(), terms, after(2)), terms, after(40))

    expect(lease).toMatchObject({ state: 'disconnected', connections: 0, disconnectedAt: after(40) })
  })

  test('asking again from another terminal keeps the lease, its token and its end', () => {
    const terminal = { name: 'lobby-2', mac: null, kind: 'jackpc', address: null }

    const lease = resumeLease(connected(), terminal, terms, after(50))

    expect(lease).toEqual({ ...connected(), terminal })
  })

  test('an offer that is asked for again waits its whole time again, but its end stays', () => {
    const lease = resumeLease(anOfferedLease(), null, terms, after(9))

    expect(dueOf(lease, terms, after(18))).toEqual([])
    expect(dueOf(lease, terms, after(19))).toEqual([{ kind: 'end', reason: 'never_used' }])
    expect(lease.endsAt).toBe(anOfferedLease().endsAt)
  })

  test('ending it again keeps the first reason and adds no history', () => {
    const again = endLease(ended(), 'revoked', after(6))

    expect(again).toEqual(ended())
  })

  test('a connection that closes after the end changes nothing', () => {
    const lease = endLease(connected(), 'revoked', after(2))

    expect(disconnectLease(lease, terms, after(3))).toEqual(lease)
    expect(lease).toMatchObject({ connections: 0, attentionAt: null })
  })
})

describe('what is refused', () => {
  test.each<[string, () => Lease, string]>([
    ['an ended lease is connected', () => connectLease(ended(), terms, after(6)), 'lease_ended'],
    ['an ended lease is offered', () => offerLease(ended(), 'public-02', terms, after(6)), 'lease_ended'],
    ['an ended lease is resumed', () => resumeLease(ended(), null, terms, after(6)), 'lease_ended'],
    [
      'an ended lease is extended',
      () => extendLease(ended(), { minutes: 5 }, terms, after(6)),
      'lease_ended',
    ],
    [
      'a lease is connected at its very end',
      () => connectLease(connected(), terms, after(120)),
      'lease_ended',
    ],
    [
      'a lease is connected before it has a desktop',
      () => connectLease(aLease(), terms, after(1)),
      'wrong_state',
    ],
    [
      'a lease is offered twice',
      () => offerLease(anOfferedLease(), 'public-02', terms, after(1)),
      'wrong_state',
    ],
    [
      'a lease is extended before it has a desktop',
      () => extendLease(aLease(), { minutes: 5 }, terms, after(1)),
      'wrong_state',
    ],
    [
      'a lease is extended to its old end',
      () => extendLease(connected(), { until: after(120) }, terms, after(9)),
      'bad_term',
    ],
    [
      'a lease is extended by less than nothing',
      () => extendLease(connected(), { minutes: -1 }, terms, after(9)),
      'bad_term',
    ],
    [
      'a lease is extended past the most',
      () => extendLease(connected(), { until: after(240, 1) }, terms, after(9)),
      'bad_term',
    ],
    [
      'a lease is extended for longer than dates go',
      () => extendLease(connected(), { minutes: 1e15 }, terms, after(9)),
      'bad_term',
    ],
  ])('%s', (_, attempt, code) => {
    expect(attempt).toThrow(expect.objectContaining({ code }))
  })
})

describe('extensions', () => {
  test('minutes are added to the old end, and the warning comes again', () => {
    const warned = warnLease(connected(), terms)

    const lease = extendLease(warned, { minutes: 30 }, terms, after(118))

    expect(lease.endsAt).toBe(after(150))
    expect(dueOf(warned, terms, after(119))).toEqual([])
    expect(dueOf(lease, terms, after(145))).toEqual([{ kind: 'warn' }])
  })

  test('the most is for all extensions together', () => {
    const first = extendLease(connected(), { minutes: 90 }, terms, after(60))

    const second = extendLease(first, { minutes: 30 }, terms, after(61))

    expect(second.endsAt).toBe(after(240))
    expect(() => extendLease(second, { minutes: 1 }, terms, after(62))).toThrow(
      'This session can last until 2026-03-02T12:00:00.000Z at the most. Save your work and open a new one.',
    )
  })
})
