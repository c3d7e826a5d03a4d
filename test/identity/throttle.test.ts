import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Instant, instant, plusMillis } from '../../src/base/clock.ts'
import { Refusal } from '../../src/base/errors.ts'
import {
  type Attempt,
  failedAgain,
  type Failures,
  type Limit,
  type Throttle,
  throttle,
  usualLimits,
  waitMillis,
} from '../../src/identity/throttle.ts'

const start = instant(Date.UTC(2026, 0, 1))
const home = '192.0.2.1'
const elsewhere = '198.51.100.7'

/** The seconds that an attempt has to wait; 0 when it may be made, and then it counts. */
function tried(guard: Throttle, user: string, address: string, now: Instant): number {
  try {
    guard.check(user, address, now)
    return 0
  } catch (error) {
    if (error instanceof Refusal && error.code === 'too_many_attempts')
      return error.extras.retryAfterSeconds ?? 0
    throw error
  }
}

/** A wrong password each second, where it is let in. How many were. */
function guesses(
  guard: Throttle,
  user: string,
  address: string,
  span: { from: Instant; seconds: number },
): number {
  const seconds = Array.from({ length: span.seconds }, (_, second) => plusMillis(span.from, second * 1000))
  return seconds.filter((now) => {
    if (tried(guard, user, address, now) > 0) return false
    guard.failed(user, address, now)
    return true
  }).length
}

describe('somebody who guesses', () => {
  test('has to wait after the ninth failure, each time twice as long', () => {
    const guard = throttle()
    guesses(guard, 'alice', elsewhere, { from: start, seconds: 9 })

    let now = plusMillis(start, 8_000)
    const waits = Array.from({ length: 5 }, () => {
      const wait = tried(guard, 'alice', elsewhere, now)
      now = plusMillis(now, wait * 1000)
      guard.check('alice', elsewhere, now)
      guard.failed('alice', elsewhere, now)
      return wait
    })

    expect(waits).toEqual([2, 4, 8, 16, 32])
  })

  test('is told when to come back, and not whether the account exists', () => {
    const guard = throttle()
    const refusals = ['alice', 'nobody-at-all'].map((user) => {
      for (let i = 0; i < 9; i++) guard.check(user, elsewhere, start)
      return () => guard.check(user, elsewhere, start)
    })

    for (const refused of refusals) {
      expect(refused).toThrow(
        expect.objectContaining({
          code: 'too_many_attempts',
          message: 'There were too many failed attempts to sign in. Try again in 2 seconds.',
          extras: { retryAfterSeconds: 2 },
        }),
      )
    }
  })

  test('gets no more tries by sending them all at once', () => {
    const guard = throttle()

    const waits = Array.from({ length: 50 }, () => tried(guard, 'alice', elsewhere, start))

    expect(waits.filter((wait) => wait === 0)).toHaveLength(9)
  })

  test('gets some hundred tries a day at one account', () => {
    const made = guesses(throttle(), 'alice', elsewhere, { from: start, seconds: 86_400 })

    expect(made).toBeGreaterThan(20)
    expect(made).toBeLessThan(150)
  })

  test('is slowed across accounts too', () => {
    const guard = throttle()
    const now = start

    const waits = Array.from({ length: 200 }, (_, i) => {
      const wait = tried(guard, `user${i}`, elsewhere, now)
      if (wait === 0) guard.failed(`user${i}`, elsewhere, now)
      return wait
    })

    expect(waits.filter((wait) => wait === 0)).toHaveLength(101)
    expect(tried(guard, 'another', elsewhere, now)).toBe(1)
  })

  test.each([
    ['2001:db8::1', '2001:db8::2', true],
    ['2001:db8:0:0:1::1', '2001:db8::2:0:0:9', true],
    ['fe80::1%eth0', 'fe80::2', true],
    ['2001:db8::1', '2001:db8:0:1::1', false],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
  ])('who comes from %s and from %s: one and the same is %s', (one, other, isSame) => {
    const guard = throttle()
    for (let i = 0; i < 9; i++) guard.check('alice', one, start)

    const wait = tried(guard, 'alice', other, start)

    expect(wait).toBe(isSame ? 2 : 0)
  })
})

describe('the owner of an account', () => {
  test('is never kept out by a stranger at one other address', () => {
    const guard = throttle()

    for (let minute = 0; minute < 1440; minute++) {
      const now = plusMillis(start, minute * 60_000)
      guesses(guard, 'alice', elsewhere, { from: now, seconds: 60 })
      expect(tried(guard, 'alice', `10.0.${minute >> 8}.${minute & 255}`, now)).toBe(0)
    }
  })

  test('is not slowed where they have signed in before, however many strangers there are', () => {
    const guard = throttle()
    guard.check('alice', home, start)
    guard.succeeded('alice', home, start)
    for (let i = 0; i < 200; i++) {
      const stranger = `203.0.113.${i}`
      if (tried(guard, 'alice', stranger, start) === 0) guard.failed('alice', stranger, start)
    }

    const [atHome, abroad] = [tried(guard, 'alice', home, start), tried(guard, 'alice', '10.1.1.1', start)]

    expect(atHome).toBe(0)
    expect(abroad).toBe(1)
  })

  test('may send many requests at once where they have signed in before', () => {
    const guard = throttle()
    guard.succeeded('alice', home, start)

    const waits = Array.from({ length: 100 }, () => tried(guard, 'alice', home, start))

    expect(waits.every((wait) => wait === 0)).toBe(true)
  })

  test('is still slowed by their own wrong passwords where they have signed in before', () => {
    const guard = throttle()
    guard.succeeded('alice', home, start)

    guesses(guard, 'alice', home, { from: start, seconds: 9 })

    expect(tried(guard, 'alice', home, plusMillis(start, 8_000))).toBe(2)
  })

  test('starts anew after the right password', () => {
    const guard = throttle()
    guesses(guard, 'alice', home, { from: start, seconds: 8 })
    const now = plusMillis(start, 10_000)
    guard.check('alice', home, now)
    guard.succeeded('alice', home, start)

    const made = guesses(guard, 'alice', home, { from: now, seconds: 9 })

    expect(made).toBe(9)
  })
})

test('what was touched longest ago is forgotten first, so that memory is bounded', () => {
  const guard = throttle({ ...usualLimits, remembered: 3 })
  for (let i = 0; i < 9; i++) guard.check('alice', elsewhere, start)
  const before = tried(guard, 'alice', elsewhere, start)
  for (const user of ['b', 'c', 'd']) guard.check(user, elsewhere, start)

  const after = tried(guard, 'alice', elsewhere, start)

  expect([before, after]).toEqual([2, 0])
})

describe('a limit', () => {
  const limits = fc.record<Limit>({
    free: fc.integer({ min: 1, max: 50 }),
    firstMillis: fc.integer({ min: 1, max: 10_000 }),
    maxMillis: fc.integer({ min: 10_000, max: 1_000_000 }),
    forgetMillis: fc.integer({ min: 1, max: 1_000_000 }),
  })
  const times = fc.array(fc.integer({ min: 0, max: 10_000_000 }), { maxLength: 100 })

  test('never asks to wait longer than its most, also when a clock is set back', () => {
    fc.assert(
      fc.property(limits, times, (limit, at) => {
        const known = at.reduce<Failures | undefined>(
          (failures, now) => failedAgain(failures, limit, now),
          undefined,
        )
        const last = Math.max(0, ...at)

        expect(waitMillis(known, limit, last)).toBeLessThanOrEqual(limit.maxMillis)
        expect(waitMillis(known, limit, last + limit.maxMillis)).toBe(0)
      }),
    )
  })

  test('asks for nothing before its free failures are used up', () => {
    fc.assert(
      fc.property(limits, times, (limit, at) => {
        const known = at
          .slice(0, limit.free)
          .reduce<Failures | undefined>((failures, now) => failedAgain(failures, limit, now), undefined)

        expect(waitMillis(known, limit, 0)).toBe(0)
      }),
    )
  })
})

describe('processes that tell each other', () => {
  /** Two guards, each of which hears what the other tells. */
  function two(): [Throttle, Throttle, Attempt[]] {
    const told: Attempt[] = []
    const guards: Throttle[] = []
    const one = (other: number) =>
      throttle(usualLimits, (attempt) => {
        told.push(attempt)
        guards[other]?.hear(attempt)
      })
    const [a, b] = [one(1), one(0)]
    guards.push(a, b)
    return [a, b, told]
  }

  test('give somebody who asks them in turn no more tries than one of them would', () => {
    const [a, b] = two()
    const attempts = Array.from({ length: 40 }, (_, n) =>
      guesses(n % 2 === 0 ? a : b, 'alice', elsewhere, { from: start, seconds: 1 }),
    )
    const alone = throttle()
    const atOne = Array.from({ length: 40 }, () =>
      guesses(alone, 'alice', elsewhere, { from: start, seconds: 1 }),
    )

    expect(attempts).toEqual(atOne)
  })

  test('know an owner where one of them does', () => {
    const [a, b] = two()
    a.check('alice', home, start)
    a.succeeded('alice', home, start)
    for (let i = 0; i < 200; i++) guesses(a, 'alice', `203.0.113.${i}`, { from: start, seconds: 1 })

    const [atHome, abroad] = [tried(b, 'alice', home, start), tried(b, 'alice', '10.1.1.1', start)]

    expect([atHome, abroad]).toEqual([0, 1])
  })

  test('say neither who nor where', () => {
    const [a, , told] = two()
    guesses(a, 'a password typed too early', elsewhere, { from: start, seconds: 1 })

    expect(told).toHaveLength(1)
    expect(JSON.stringify(told)).not.toMatch(/password|198/)
  })
})
