import { describe, expect, test } from 'vitest'
import { plusMillis } from '../../src/base/clock.ts'
import {
  addReminder,
  dueReminders,
  type ExpiryDecision,
  expiryDecision,
  extend,
  markDelivered,
  needsApproval,
  nextAttention,
  termAllowed,
} from '../../src/machines/expiry.ts'
import type { Machine } from '../../src/machines/machine.ts'
import { aMachine, aPolicy, refusalOf, zone } from './a-machine.ts'

const policy = aPolicy()
const end = '2026-01-31T12:00:00.000Z'

function on(day: string, time = '12:00:00.000'): string {
  return `2026-${day}T${time}Z`
}

function decide(machine: Machine, now: string, rules = policy): ExpiryDecision {
  return expiryDecision(machine, rules, now, zone)
}

/** A machine whose owner was told about its end by a reminder that was due at some time. */
function told(machine: Machine, dueAt: string, deliveredAt = dueAt): Machine {
  const row = { end: machine.expiresAt ?? '', dueAt, notice: 'N-1', deliveredAt }
  return { ...machine, reminders: [...machine.reminders, row] }
}

function expired(machine: Machine, at = end): Machine {
  return { ...machine, state: 'expired', history: [...machine.history, { state: 'expired', at }] }
}

describe('reminders', () => {
  test('one is due when its time has come', () => {
    expect(decide(aMachine(), on('01-17', '11:59:59.999'))).toEqual({ kind: 'wait' })
    expect(decide(aMachine(), on('01-17'))).toEqual({ kind: 'remind', reminder: { end, dueAt: on('01-17') } })
  })

  test('one that has a row is not due again, delivered or not', () => {
    const machine = addReminder(aMachine(), { end, dueAt: on('01-17') }, 'N-1', policy, on('01-17'), zone)

    expect(decide(machine, on('01-20'))).toEqual({ kind: 'wait' })
    expect(machine.attentionAt).toBe(on('01-24'))
  })

  test('several that are overdue become one, about the most urgent', () => {
    const late = on('01-29')

    expect(dueReminders(aMachine(), policy, late, zone)).toHaveLength(3)
    expect(decide(aMachine(), late)).toEqual({ kind: 'remind', reminder: { end, dueAt: on('01-28') } })
  })

  test('those that the most urgent made good for do not come after it', () => {
    const machine = addReminder(aMachine(), { end, dueAt: on('01-28') }, 'N-1', policy, on('01-29'), zone)

    expect(dueReminders(machine, policy, on('01-29'), zone)).toEqual([])
  })

  test('a machine asked for two days is reminded a day before its end and not fourteen', () => {
    const machine = aMachine({ expiresAt: on('01-03') })

    expect(nextAttention(machine, policy, on('01-01'), zone)).toBe(on('01-02'))
  })

  test('a term as long as an offset does not begin with a reminder', () => {
    const machine = aMachine({ expiresAt: on('01-15') })

    expect(nextAttention(machine, policy, on('01-01'), zone)).toBe(on('01-08'))
  })

  test('a term inside all offsets has one reminder, at its half', () => {
    const machine = aMachine({ expiresAt: on('01-01', '12:00:04.000') })

    const decision = decide(machine, on('01-01', '12:00:02.000'))

    expect(nextAttention(machine, policy, on('01-01'), zone)).toBe(on('01-01', '12:00:02.000'))
    expect(decision).toMatchObject({ kind: 'remind' })
  })

  test('durations of seconds work as well as days', () => {
    const quick = aPolicy({ reminders: ['PT3S', 'PT1S'], grace: 'PT2S' })
    const machine = aMachine({ expiresAt: on('01-01', '12:00:10.000') })

    expect(nextAttention(machine, quick, on('01-01'), zone)).toBe(on('01-01', '12:00:07.000'))
  })

  test('days are walked on the calendar of the site, across the change of its clocks', () => {
    const machine = aMachine({ expiresAt: '2026-04-01T10:00:00.000Z' })

    expect(nextAttention(machine, policy, on('01-01'), zone)).toBe('2026-03-18T11:00:00.000Z')
  })

  test('"let it go" silences them until the end', () => {
    const machine = told(aMachine({ letGoOf: end }), on('01-17'))

    expect(decide(machine, on('01-30'))).toEqual({ kind: 'wait' })
    expect(nextAttention(machine, policy, on('01-30'), zone)).toBe(end)
  })

  test('"let it go" about an earlier end silences nothing', () => {
    const machine = aMachine({ letGoOf: on('01-15') })

    expect(decide(machine, on('01-17'))).toMatchObject({ kind: 'remind' })
  })

  test('the first delivery counts and brings the machine to attention', () => {
    const machine = addReminder(aMachine(), { end, dueAt: on('01-17') }, 'N-1', policy, on('01-17'), zone)

    const once = markDelivered(machine, 'N-1', on('01-18'))
    const twice = markDelivered(once, 'N-1', on('01-19'))

    expect(once.reminders).toMatchObject([{ deliveredAt: on('01-18') }])
    expect(once.attentionAt).toBe(on('01-18'))
    expect(twice).toBe(once)
  })
})

describe('the end', () => {
  test('a machine expires at its end, told or not', () => {
    expect(decide(aMachine(), end)).toEqual({ kind: 'expire', reminder: { end, dueAt: end } })
    expect(decide(told(aMachine(), on('01-30')), end)).toMatchObject({ kind: 'expire' })
  })

  test.each(['provisioning', 'migrating', 'unreachable'] as const)(
    'one that is %s cannot be saved: its owner is told, and it is looked at again',
    (state) => {
      const machine = aMachine({ state })

      expect(decide(machine, end)).toEqual({ kind: 'remind', reminder: { end, dueAt: end } })
      expect(nextAttention(told(machine, end), policy, end, zone)).toBe(plusMillis(end, 60_000))
    },
  )

  test.each(['deleting', 'deleted', 'failed'] as const)('nothing is due for one that is %s', (state) => {
    const machine = aMachine({ state })

    expect(decide(machine, on('12-31'))).toEqual({ kind: 'wait' })
    expect(nextAttention(machine, policy, on('01-02'), zone)).toBeNull()
  })

  test('one that is archived is reminded and deleted after its grace, but does not expire', () => {
    const machine = aMachine({ state: 'archived' })

    expect(decide(machine, end)).toEqual({ kind: 'remind', reminder: { end, dueAt: end } })
    expect(decide(told(machine, end), plusMillis(end, 60_000))).toEqual({ kind: 'wait' })
    expect(decide(told(machine, end), plusMillis(end, 30 * 86_400_000))).toEqual({ kind: 'delete' })
  })

  test('nothing is ever due for one that never expires', () => {
    const machine = aMachine({ expiresAt: null })

    expect(decide(machine, '2999-01-01T00:00:00.000Z')).toEqual({ kind: 'wait' })
    expect(nextAttention(machine, policy, on('01-02'), zone)).toBeNull()
  })
})

describe('deletion', () => {
  test('waits for the grace after the end when the owner was told before', () => {
    const machine = expired(told(aMachine(), on('01-17')))

    expect(decide(machine, on('02-07', '11:59:59.999'))).toEqual({ kind: 'wait' })
    expect(decide(machine, on('02-07'))).toEqual({ kind: 'delete' })
    expect(nextAttention(machine, policy, on('02-01'), zone)).toBe(on('02-07'))
  })

  test('waits for the grace after the first delivery when that came after the end', () => {
    const machine = told(told(expired(aMachine()), end, on('02-05')), on('02-07'), on('02-11'))

    expect(decide(machine, on('02-11', '23:00:00.000'))).toEqual({ kind: 'wait' })
    expect(decide(machine, on('02-12'))).toEqual({ kind: 'delete' })
  })

  test('never comes while nobody was told, and they are told again each grace', () => {
    const row = { end, dueAt: end, notice: 'N-1', deliveredAt: null }
    const machine = expired(aMachine({ reminders: [row] }))

    expect(decide(machine, on('02-06'))).toEqual({ kind: 'wait' })
    expect(nextAttention(machine, policy, on('02-01'), zone)).toBe(on('02-07'))
    expect(decide(machine, on('12-01'))).toEqual({ kind: 'remind', reminder: { end, dueAt: on('12-01') } })
  })

  test('does not count a delivery that was about an earlier end', () => {
    const earlier = { end: on('01-15'), dueAt: on('01-14'), notice: 'N-1', deliveredAt: on('01-14') }
    const machine = expired(aMachine({ reminders: [earlier] }))

    expect(decide(machine, on('12-01'))).toMatchObject({ kind: 'remind' })
  })

  test('"let it go" does not stand for having been told', () => {
    const machine = expired(aMachine({ letGoOf: end }))

    expect(decide(machine, on('12-01'))).toMatchObject({ kind: 'remind' })
  })

  test('comes no sooner than half of the grace after a late expiry', () => {
    const machine = expired(told(aMachine(), on('01-17')), on('03-01'))

    expect(decide(machine, on('03-04'))).toEqual({ kind: 'wait' })
    expect(decide(machine, on('03-05'))).toEqual({ kind: 'delete' })
  })
})

describe('a machine that was taken over after its end', () => {
  const late = aMachine({ createdAt: on('06-01'), request: null, owner: null })
  const reminder = { end, dueAt: on('06-01') }

  test('is told about at once, and nothing else happens', () => {
    expect(decide(late, on('06-01'))).toEqual({ kind: 'remind', reminder })
    expect(nextAttention(late, policy, on('06-01'), zone)).toBe(on('06-01'))
  })

  test('goes on as it was while nobody was told', () => {
    const waiting = addReminder(late, reminder, 'N-1', policy, on('06-01'), zone)

    expect(decide(waiting, on('06-07'))).toEqual({ kind: 'wait' })
    expect(decide(waiting, on('07-01'))).toMatchObject({ kind: 'remind' })
  })

  test('expires at half of the grace since somebody was told, and is deleted after all of it', () => {
    const known = told(late, on('06-01'), on('06-03'))

    expect(decide(known, on('06-06'))).toEqual({ kind: 'wait' })
    expect(decide(known, on('06-07', '00:00:00.000'))).toMatchObject({ kind: 'expire' })
    expect(decide(expired(known, on('06-06')), on('06-10', '11:00:00.000'))).toEqual({ kind: 'wait' })
    expect(decide(expired(known, on('06-06')), on('06-10'))).toEqual({ kind: 'delete' })
  })
})

describe('extending', () => {
  test('moves the end, counts, and starts the reminders anew from now', () => {
    const machine = told(aMachine({ letGoOf: end }), on('01-30'))

    const next = extend(machine, on('02-10'), policy, on('01-30'), zone)

    expect(next).toMatchObject({ expiresAt: on('02-10'), extensions: 1, letGoOf: null, state: 'running' })
    expect(next.attentionAt).toBe(on('02-03'))
    expect(next.reminders).toHaveLength(1)
  })

  test.each([
    ['saved', [], policy, 'saved'],
    ['stopped before', [{ state: 'stopped' as const, at: on('01-20') }], policy, 'stopped'],
    ['shut down', [], aPolicy({ atEnd: 'shutdown' }), 'stopped'],
  ])('brings back an expired machine that was %s', (_how, moves, rules, state) => {
    const machine = aMachine()
    const gone = expired({ ...machine, history: [...machine.history, ...moves] })

    const next = extend(gone, on('03-01'), rules, on('02-02'), zone)

    expect(next.state).toBe(state)
    expect(next.history.at(-1)).toEqual({ state, at: on('02-02'), reason: 'extended' })
  })

  test.each([
    ['the same end', end, 'webafs20 lasts until 2026-01-31 13:00 already. Choose a later end.'],
    ['an earlier end', on('01-20'), 'webafs20 lasts until 2026-01-31 13:00 already. Choose a later end.'],
    [
      'an end beyond the longest term',
      '2027-01-11T00:00:00.000Z',
      '2027-01-11 01:00 is too far off. The longest term is 365 days, so until 2027-01-10 13:00.',
    ],
  ])('to %s is refused', (_what, until, message) => {
    const refusal = refusalOf(() => extend(aMachine(), until, policy, on('01-10'), zone))

    expect(refusal).toMatchObject({ code: 'bad_term', message })
  })

  test('an expired machine to an end that is past too is refused', () => {
    const refusal = refusalOf(() => extend(expired(aMachine()), on('02-01'), policy, on('02-02'), zone))

    expect(refusal).toMatchObject({ code: 'bad_term' })
  })

  test('a machine that never expires is refused', () => {
    const refusal = refusalOf(() => extend(aMachine({ expiresAt: null }), end, policy, on('01-10'), zone))

    expect(refusal).toMatchObject({ code: 'bad_term' })
  })

  test('a machine that is being deleted is refused', () => {
    const refusal = refusalOf(() =>
      extend(aMachine({ state: 'deleting' }), on('03-01'), policy, on('01-10'), zone),
    )

    expect(refusal).toMatchObject({ code: 'wrong_state' })
  })

  test('needs an approver once the free extensions are used up', () => {
    expect(needsApproval(aMachine({ extensions: 1 }), policy)).toBe(false)
    expect(needsApproval(aMachine({ extensions: 2 }), policy)).toBe(true)
  })
})

describe('a term', () => {
  test('up to the longest is allowed, to the instant', () => {
    expect(
      refusalOf(() => termAllowed('2027-01-01T12:00:00.000Z', policy, on('01-01'), zone)),
    ).toBeUndefined()
  })

  test('without end is allowed only where the policy says so', () => {
    const refusal = refusalOf(() => termAllowed(null, policy, on('01-01'), zone))

    expect(refusal).toMatchObject({
      code: 'bad_term',
      message: 'A machine here needs an end. The longest term is 365 days, so until 2027-01-01 13:00.',
    })
    expect(refusalOf(() => termAllowed(null, aPolicy({ never: true }), on('01-01'), zone))).toBeUndefined()
  })

  test('that has passed is refused', () => {
    const refusal = refusalOf(() => termAllowed(on('01-01'), policy, on('01-01'), zone))

    expect(refusal).toMatchObject({ code: 'bad_term' })
  })

  test('is named in the units of the policy', () => {
    const short = aPolicy({ maxTerm: 'P1M1DT1H30S' })

    const refusal = refusalOf(() => termAllowed('2027-01-01T12:00:00.000Z', short, on('01-01'), zone))

    expect(String(refusal)).toContain('1 month, 1 day, 1 hour and 30 seconds')
  })
})
