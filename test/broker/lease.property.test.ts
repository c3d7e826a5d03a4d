import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plusMillis } from '../../src/base/clock.ts'
import { Refusal } from '../../src/base/errors.ts'
import { canMove } from '../../src/base/states.ts'
import {
  connectLease,
  disconnectLease,
  dropConnections,
  endLease,
  endReasons,
  extendLease,
  type Lease,
  leaseStates,
  offerLease,
  resumeLease,
  warnLease,
} from '../../broker/lease.ts'
import { attentionOf, dueOf } from '../../broker/lease-terms.ts'
import { aLease, start, terms } from './samples.ts'

type Act = (lease: Lease, at: string) => Lease

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.constant<Act>((lease, at) => offerLease(lease, 'public-01', terms, at)),
  fc.constant<Act>((lease, at) => resumeLease(lease, null, terms, at)),
  { weight: 3, arbitrary: fc.constant<Act>((lease, at) => connectLease(lease, terms, at)) },
  { weight: 3, arbitrary: fc.constant<Act>((lease, at) => disconnectLease(lease, terms, at)) },
  fc.constant<Act>((lease, at) => dropConnections(lease, terms, at)),
  fc.constant<Act>((lease) => warnLease(lease, terms)),
  fc
    .integer({ min: -10, max: 200 })
    .map<Act>((minutes) => (lease, at) => extendLease(lease, { minutes }, terms, at)),
  fc.constantFrom(...endReasons).map<Act>((reason) => (lease, at) => endLease(lease, reason, at)),
)
const event = fc.record({ act, millis: fc.integer({ min: 0, max: 20 * 60_000 }) })

/** Plays events; what is refused changes nothing. Gives every lease on the way. */
function play(events: readonly { act: Act; millis: number }[]): Lease[] {
  let at = start
  const seen = [aLease()]
  for (const { act, millis } of events) {
    at = plusMillis(at, millis)
    try {
      seen.push(act(seen.at(-1) ?? aLease(), at))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
    }
  }
  return seen
}

test('whatever happens in whatever order, a lease moves only as its table allows and history tells all of it', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      for (const lease of play(events)) {
        const states = lease.history.map(({ state }) => state)
        expect(states[0]).toBe('preparing')
        expect(states.at(-1)).toBe(lease.state)
        states.slice(1).forEach((state, i) => {
          expect(canMove(leaseStates, states[i] ?? 'ended', state)).toBe(true)
        })
        const times = lease.history.map(({ at }) => at)
        expect(times).toEqual([...times].sort())
      }
    }),
    { numRuns: 300 },
  )
})

test('connections are open in the connected state and in no other', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      for (const lease of play(events)) {
        expect(lease.connections > 0).toBe(lease.state === 'connected')
        expect(lease.disconnectedAt !== null && lease.state !== 'ended').toBe(lease.state === 'disconnected')
      }
    }),
    { numRuns: 300 },
  )
})

test('an ended lease stays as it is, with the one reason that its history gives', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const seen = play(events)
      const first = seen.find(({ state }) => state === 'ended')
      for (const lease of seen) {
        const reasons = lease.history.filter(({ state }) => state === 'ended').map(({ reason }) => reason)
        expect(reasons).toEqual(lease.state === 'ended' ? [lease.endReason] : [])
        if (lease.state === 'ended') expect(lease).toEqual(first)
      }
    }),
    { numRuns: 300 },
  )
})

test('no lease ends later than the pool allows, and what is due is exactly what its attention says', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), fc.integer({ min: 0, max: 600 }), (events, minutes) => {
      for (const lease of play(events)) {
        const offered = lease.history.find(({ state }) => state === 'offered')?.at ?? start
        const now = plusMillis(start, minutes * 60_000)
        expect(lease.endsAt <= plusMillis(offered, 4 * 3_600_000)).toBe(true)
        expect(lease.attentionAt).toBe(attentionOf(lease, terms))
        expect(dueOf(lease, terms, now).length > 0).toBe(
          lease.attentionAt !== null && lease.attentionAt <= now,
        )
      }
    }),
    { numRuns: 300 },
  )
})
