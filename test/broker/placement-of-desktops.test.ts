import { describe, expect, test } from 'vitest'
import {
  chooseDesktop,
  type Choice,
  type Found,
  type PoolCounts,
} from '../../broker/placement-of-desktops.ts'
import type { DesktopState } from '../../broker/desktop.ts'
import { aDesktop, after, aLease, anOfferedLease, aPool, start } from './samples.ts'

const counts = (changes: Partial<PoolCounts> = {}): PoolCounts => ({
  spare: 0,
  making: 0,
  stored: 0,
  storing: 0,
  waiting: 0,
  total: 5,
  ...changes,
})
const found = (changes: Partial<Found> = {}): Found => ({
  lease: null,
  own: null,
  spare: null,
  stored: null,
  counts: counts(),
  ...changes,
})
const persistent = aPool({ name: 'developers', kind: 'persistent' })
const own = (state: DesktopState, running = true): NonNullable<Found['own']> => ({
  desktop: aDesktop({ id: 'dev-01', state, person: 'alice' }),
  running,
})

describe('a shared pool', () => {
  test.each<[string, Partial<Found>, Partial<Choice>]>([
    [
      'gives the session that the person holds, before anything else',
      { lease: anOfferedLease(), spare: aDesktop() },
      { kind: 'resume' },
    ],
    ['gives the one that is being made for them', { lease: aLease() }, { kind: 'resume' }],
    ['gives a spare desktop', { spare: aDesktop() }, { kind: 'offer' }],
    [
      'lets the person wait for one that is being made',
      { counts: counts({ making: 1 }) },
      { kind: 'wait', make: false },
    ],
    [
      'has one more made when those are promised',
      { counts: counts({ making: 1, waiting: 1 }) },
      { kind: 'wait', make: true },
    ],
    ['has the first one made', { counts: counts({ total: 0 }) }, { kind: 'wait', make: true }],
    [
      'lets the person wait at its limit while one is made',
      { counts: counts({ total: 10, making: 2, waiting: 1 }) },
      { kind: 'wait', make: false },
    ],
    ['wakes a saved one', { stored: aDesktop({ state: 'stored' }) }, { kind: 'wake', start: true }],
    ['does not look for a desktop of their own', { own: own('idle'), spare: aDesktop() }, { kind: 'offer' }],
  ])('%s', (_, seen, choice) => {
    expect(chooseDesktop(aPool(), 'alice', found(seen), start)).toMatchObject(choice)
  })

  test('that is full says so, and when to try again', () => {
    const full = found({ counts: counts({ total: 10, making: 1, waiting: 1 }) })

    expect(() => chooseDesktop(aPool(), 'alice', full, start)).toThrow(
      expect.objectContaining({
        code: 'pool_full',
        message:
          'All 10 desktops of pool public are taken, and others wait already. Try again when somebody has logged off.',
        extras: { retryAfterSeconds: 60 },
      }),
    )
  })

  test('refuses a lease that is over and not cleared away yet', () => {
    const late = found({ lease: anOfferedLease(), spare: aDesktop() })

    expect(() => chooseDesktop(aPool(), 'alice', late, after(120))).toThrow(
      expect.objectContaining({ code: 'lease_ended' }),
    )
  })

  test.each<[string, Partial<Found>]>([
    ['a desktop that belongs to somebody', { spare: aDesktop({ person: 'bob' }) }],
    ['a desktop whose reset was not verified', { spare: aDesktop({ state: 'resetting' }) }],
    ['the session of somebody else', { lease: { ...anOfferedLease(), user: 'bob' } }],
  ])('never hands out %s', (_, seen) => {
    expect(() => chooseDesktop(aPool(), 'alice', found(seen), start)).toThrow(
      expect.objectContaining({ code: 'ERR_ASSERTION' }),
    )
  })
})

describe('a persistent pool', () => {
  test.each<[string, Found['own'], Partial<Choice>]>([
    ['gives the person their own desktop', own('idle'), { kind: 'offer', desktop: own('idle').desktop }],
    ['wakes it when it is saved', own('idle', false), { kind: 'wake', start: true }],
    ['waits with the person while it is woken already', own('waking', false), { kind: 'wake', start: false }],
    ['waits with the person while it is made', own('making', false), { kind: 'wake', start: false }],
    ['gives them a spare one, to keep, when they have none', null, { kind: 'offer', desktop: aDesktop() }],
    ['gives them a spare one when theirs is gone', own('gone'), { kind: 'offer', desktop: aDesktop() }],
  ])('%s', (_, mine, choice) => {
    expect(chooseDesktop(persistent, 'alice', found({ own: mine, spare: aDesktop() }), start)).toMatchObject(
      choice,
    )
  })

  test.each<DesktopState>(['quarantined', 'leased', 'resetting'])(
    'never gives another desktop while their own is %s',
    (state) => {
      const seen = found({ own: own(state), spare: aDesktop() })

      expect(() => chooseDesktop(persistent, 'alice', seen, start)).toThrow(
        expect.objectContaining({ code: 'busy' }),
      )
    },
  )

  test('never hands out the desktop of somebody else', () => {
    expect(() => chooseDesktop(persistent, 'bob', found({ own: own('idle') }), start)).toThrow(
      expect.objectContaining({ code: 'ERR_ASSERTION' }),
    )
  })
})
