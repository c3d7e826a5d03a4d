import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Instant, latest, millis, plusMillis } from '../../src/base/clock.ts'
import {
  addReminder,
  expiryDecision,
  extend,
  markDelivered,
  nextAttention,
} from '../../src/machines/expiry.ts'
import type { Machine } from '../../src/machines/machine.ts'
import { aMachine, aPolicy, zone } from './a-machine.ts'

const start = '2026-01-01T12:00:00.000Z'
const grace = 100_000
const policy = aPolicy({ reminders: ['PT5M', 'PT2M', 'PT30S'], grace: 'PT100S' })

/** One tick of the sweep after a pause, and what happens to the notices that it sends. */
interface Tick {
  pause: number
  /** How long the notice of this tick takes to be delivered; null is never. */
  delivery: number | null
  /** The owner presses something before the tick. */
  press: 'extend' | 'let-go' | null
}

interface World {
  machine: Machine
  now: Instant
  sent: string[]
  inFlight: { notice: string; at: Instant }[]
}

const ticks = fc.array(
  fc.record({
    pause: fc.integer({ min: 1, max: 250_000 }),
    delivery: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 400_000 })),
    press: fc.oneof(
      { weight: 12, arbitrary: fc.constant(null) },
      fc.constantFrom('extend' as const, 'let-go' as const),
    ),
  }),
  { minLength: 1, maxLength: 40 },
)
const terms = fc.integer({ min: -100_000, max: 900_000 }).filter((term) => term !== 0)

function deliver(world: World): World {
  const arrived = world.inFlight.filter(({ at }) => at <= world.now)
  const machine = arrived.reduce((m, { notice, at }) => markDelivered(m, notice, at), world.machine)
  return { ...world, machine, inFlight: world.inFlight.filter(({ at }) => at > world.now) }
}

function pressed(machine: Machine, press: Tick['press'], now: Instant): Machine {
  if (press === 'let-go') return { ...machine, letGoOf: machine.expiresAt }
  if (press === null || machine.state === 'deleting') return machine
  const until = plusMillis(latest(now, machine.expiresAt), 200_000)
  return extend(machine, until, policy, now, zone)
}

/** What a sweep does with a decision. */
function tick(before: World, { pause, delivery, press }: Tick): World {
  const world = deliver({ ...before, now: plusMillis(before.now, pause) })
  const machine = pressed(world.machine, press, world.now)
  const { now } = world
  const decision = expiryDecision(machine, policy, now, zone)
  if (decision.kind === 'wait') return { ...world, machine }
  if (decision.kind === 'delete') {
    checkDeletion(machine, now)
    return { ...world, machine: { ...machine, state: 'deleting' } }
  }
  const { end, dueAt } = decision.reminder
  const notice = `${end} ${dueAt}`
  const next: Machine =
    decision.kind === 'expire'
      ? { ...machine, state: 'expired', history: [...machine.history, { state: 'expired', at: now }] }
      : machine
  return {
    now,
    machine: addReminder(next, decision.reminder, notice, policy, now, zone),
    sent: [...world.sent, notice],
    inFlight:
      delivery === null ? world.inFlight : [...world.inFlight, { notice, at: plusMillis(now, delivery) }],
  }
}

function checkDeletion(machine: Machine, now: Instant): void {
  const told = machine.reminders.filter((row) => row.end === machine.expiresAt && row.deliveredAt !== null)
  const first = told.map((row) => row.deliveredAt ?? '').sort()[0]
  expect(machine.state).toBe('expired')
  expect(first).toBeDefined()
  expect(millis(now)).toBeGreaterThanOrEqual(millis(latest(machine.expiresAt ?? '', first)) + grace)
}

function worldOf(term: number): World {
  const machine = aMachine({ createdAt: start, expiresAt: plusMillis(start, term) })
  const attentionAt = nextAttention(machine, policy, start, zone)
  return { machine: { ...machine, attentionAt }, now: start, sent: [], inFlight: [] }
}

test('nothing is deleted before somebody was told and the grace has passed, and no row is sent twice', () => {
  fc.assert(
    fc.property(terms, ticks, (term, sequence) => {
      const last = sequence.reduce(tick, worldOf(term))
      expect(new Set(last.sent).size).toBe(last.sent.length)
    }),
    { numRuns: 500 },
  )
})

test('a machine whose notices arrive is told before its end, and gone in the end', () => {
  const pauses = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 20 })

  fc.assert(
    fc.property(terms, pauses, (term, sequence) => {
      let world = worldOf(term)
      for (let n = 0; world.machine.state !== 'deleting'; n++) {
        expect(n).toBeLessThan(2000)
        const pause = Math.max(5000, sequence[n % sequence.length] ?? 5000)
        world = tick(world, { pause, delivery: 0, press: null })
      }
      expect(world.machine.reminders.some(({ deliveredAt }) => deliveredAt !== null)).toBe(true)
      // With ticks at most 20 s apart and a term of minutes, the reminder came while it still ran.
      const first = world.machine.reminders[0]
      if (term > 60_000) expect(first?.deliveredAt && first.deliveredAt < plusMillis(start, term)).toBe(true)
    }),
    { numRuns: 100 },
  )
})

test('nothing is due before the instant at which a machine asks for attention', () => {
  const moments = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 })

  fc.assert(
    fc.property(terms, ticks, moments, (term, sequence, fractions) => {
      const { machine, now } = sequence.reduce(tick, worldOf(term))
      const at = nextAttention(machine, policy, now, zone)
      // What was saved may be too early, which costs a look, but never too late.
      if (at !== null) expect(machine.attentionAt !== null && machine.attentionAt <= at).toBe(true)
      const until = at === null ? millis(now) + 10_000_000 : millis(at)
      for (const fraction of fractions) {
        const moment = Math.floor(millis(now) + fraction * (until - millis(now) - 1))
        if (moment < millis(now) || moment >= until) continue
        expect(expiryDecision(machine, policy, plusMillis(now, moment - millis(now)), zone).kind).toBe('wait')
      }
    }),
  )
})
