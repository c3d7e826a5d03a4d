import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Account,
  applyDelta,
  commit,
  type Commitment,
  emptyAccount,
  hold,
  left,
  overview,
  settle,
  topUp,
} from '../../pricing/budget.ts'
import { Refusal } from '../../src/base/errors.ts'
import { addDays } from '../../src/base/period.ts'
import { aBudget } from './builders.ts'

interface World {
  account: Account
  open: Commitment[]
  closed: Commitment[]
}

const amount = fc.integer({ min: 0, max: 9_000 })

const step = fc.oneof(
  fc.record({ kind: fc.constant('commit' as const), milli: amount }),
  fc.record({ kind: fc.constant('extend' as const), milli: amount, which: fc.nat(20) }),
  fc.record({ kind: fc.constant('settle' as const), milli: amount, which: fc.nat(20) }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

test('held, spent and left make up the limit after any sequence, and the account is the sum of its commitments', () => {
  const rule = aBudget({ limit: 20_000 })
  let refused = 0
  let settled = 0

  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let world: World = { account: emptyAccount(rule.code), open: [], closed: [] }
      for (const [index, step] of steps.entries()) {
        const room = left(rule, world.account)
        try {
          world = after(world, step, index)
        } catch (error) {
          // A refusal is right only when the room was too small, and then nothing has changed.
          expect(error).toBeInstanceOf(Refusal)
          expect(error).toMatchObject({ code: 'budget_exhausted' })
          expect(step.milli).toBeGreaterThan(room)
          refused += 1
        }

        const { heldMilli, spentMilli, leftMilli, share } = overview(rule, world.account)
        const all = [...world.open, ...world.closed]
        expect(heldMilli + spentMilli + leftMilli).toBe(20_000)
        expect(Math.min(heldMilli, spentMilli, leftMilli)).toBeGreaterThanOrEqual(0)
        expect(share).toBeCloseTo(1 - leftMilli / 20_000, 9)
        expect(heldMilli).toBe(sum(all.map((each) => each.heldMilli)))
        expect(spentMilli).toBe(sum(all.map((each) => each.spentMilli)))
      }
      settled += world.closed.length
    }),
    { numRuns: 300 },
  )

  expect(refused).toBeGreaterThan(0)
  expect(settled).toBeGreaterThan(0)

  function after(world: World, step: Step, index: number): World {
    if (step.kind === 'commit') {
      const account = hold(rule, world.account, step.milli, 'CHF')
      const facts = { createdDay: '2009-10-16', paidTo: '2009-10-30', heldMilli: step.milli }
      const made = commit({ machine: `m${index}`, budget: rule.code, ...facts })
      return { ...world, account, open: [...world.open, made] }
    }
    const chosen = world.open[step.which % Math.max(1, world.open.length)]
    if (chosen === undefined) return world
    const others = world.open.filter((each) => each !== chosen)
    if (step.kind === 'extend') {
      const account = hold(rule, world.account, step.milli, 'CHF')
      const longer = topUp(chosen, { heldMilli: step.milli, paidTo: addDays(chosen.paidTo, 7) })
      return { ...world, account, open: [...others, longer] }
    }
    const { commitment, delta } = settle(chosen, step.milli)
    return {
      account: applyDelta(world.account, delta),
      open: others,
      closed: [...world.closed, commitment],
    }
  }
})

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}
