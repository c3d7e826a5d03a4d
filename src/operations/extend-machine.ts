import { z } from 'zod'
import { latest } from '../base/clock.ts'
import { addDuration, days } from '../base/duration.ts'
import { refuse } from '../base/errors.ts'
import { isLocalDay, startOfDay } from '../base/period.ts'
import { extend, needsApproval } from '../machines/expiry.ts'
import type { Machine } from '../machines/machine.ts'
import { type Known, namesOnBudget, peopleBehind } from './approvers.ts'
import { askFor } from './asking.ts'
import { policyOf } from './groups.ts'
import { moveEnd, priceOfExtension } from './granting.ts'
import { openBudget } from './accounts.ts'
import { change, type Context } from './operation.ts'
import { anybody, steered } from './rules.ts'
import { EndField, InstantShape } from './shapes/fields.ts'
import { QuoteShape, quoteKept, quoteView } from './shapes/quote.ts'

const Extended = z.object({ expiresAt: InstantShape, quote: QuoteShape })
const Requested = z.object({ request: z.string(), quote: QuoteShape })

export const extendMachine = change({
  name: 'extend-machine',
  summary:
    'Move the end of a machine, priced from its old end. Beyond what policy allows it becomes a request.',
  http: {
    method: 'POST',
    path: '/machines/{name}/extend',
    status: (answer) => (Requested.safeParse(answer).success ? 202 : 200),
  },
  input: z.object({
    name: z.string().max(63),
    until: EndField.optional(),
    days: z.coerce.number().int().min(1).max(3660).optional(),
  }),
  output: z.union([Extended, Requested]),
  subject: ({ name }) => `machine:${name}`,
  allow: anybody,
  ask: (outside): Promise<Known> =>
    peopleBehind(
      outside,
      outside.site.budgets.flatMap(({ code }) => namesOnBudget(outside, code)),
    ),
  async run(context, input, known) {
    const { now, site } = context
    const machine = await steered(context, input.name)
    const until = newEnd(machine, input, context)
    const policy = await policyOf(context, machine)
    extend(machine, until, policy, now, site.timezone)
    const budget = machine.budget === null ? null : openBudget(context, machine.budget, context.caller)
    const extra = await priceOfExtension(context, machine, until)
    const view = quoteView(extra, { now, site })
    if (budget !== null && needsApproval(machine, policy)) {
      const request = await askFor(
        context,
        {
          ask: { kind: 'extension', machine: machine.id, until },
          template: machine.template,
          cpus: machine.cpus,
          memoryGb: machine.memoryGb,
          description: machine.description,
          purpose: `More time for ${machine.id}: ${machine.purpose}`.slice(0, 500),
          administrators: machine.administrators,
          budget,
          quote: quoteKept(extra, { now, site }),
        },
        known,
      )
      if (request.state === 'pending') return { request: request.id, quote: view }
      return { expiresAt: until, quote: view }
    }
    const moved = await moveEnd(context, machine, until)
    return { expiresAt: moved.machine.expiresAt ?? until, quote: view }
  },
})

/** Days are added to the old end; an end that has passed is extended from now, so that what is pressed gives that much time. */
export function newEnd(
  machine: Machine,
  wish: { until?: string | undefined; days?: number | undefined },
  { now, site }: Pick<Context, 'now' | 'site'>,
): string {
  if ((wish.until === undefined) === (wish.days === undefined)) {
    refuse('bad_term', 'Say until when, or for how many more days.')
  }
  if (wish.until !== undefined)
    return isLocalDay(wish.until) ? startOfDay(wish.until, site.timezone) : wish.until
  return addDuration(latest(now, machine.expiresAt), days(wish.days ?? 0), site.timezone)
}
