import { z } from 'zod'
import { autoApproves } from '../../pricing/budget.ts'
import { refuse } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import { fullPerDayMilli } from '../../pricing/cost.ts'
import { checkVerb } from '../machines/control.ts'
import { sizeFor } from '../machines/sizing.ts'
import { type Known, namesOnBudget, peopleBehind } from './approvers.ts'
import { askFor } from './asking.ts'
import { checkManaged } from './control-machine.ts'
import { openBudget } from './accounts.ts'
import { openCommitment } from './holding.ts'
import { change } from './operation.ts'
import { templateNamed } from './order.ts'
import { tariffsOf } from './promising.ts'
import { priceOfResize, resize } from './resizing.ts'
import { anybody, steered } from './rules.ts'
import { quoteKept } from './shapes/quote.ts'

const Accepted = z.object({ job: z.string() })
const Requested = z.object({ request: z.string() })

export const resizeMachine = change({
  name: 'resize-machine',
  summary:
    'Give a machine more or fewer CPUs and memory. What costs more than its budget lets pass becomes a request.',
  http: { method: 'POST', path: '/machines/{name}/resize', status: () => 202 },
  input: z.object({
    name: z.string().max(63),
    cpus: z.coerce.number().int().min(1).max(1024).optional(),
    memoryGb: z.coerce.number().int().min(1).max(65_536).optional(),
  }),
  output: z.union([Accepted, Requested]),
  subject: ({ name }) => `machine:${name}`,
  allow: anybody,
  ask: (outside): Promise<Known> =>
    peopleBehind(
      outside,
      outside.site.budgets.flatMap(({ code }) => namesOnBudget(outside, code)),
    ),
  async run(context, input, known) {
    const { caller, now, site } = context
    const machine = await steered(context, input.name)
    checkVerb(machine, 'resize')
    checkManaged(machine)
    const size = sizeFor(templateNamed(site, machine.template), {
      cpus: input.cpus ?? machine.cpus,
      memoryGb: input.memoryGb ?? machine.memoryGb,
    })
    if (size.cpus === machine.cpus && size.memoryGb === machine.memoryGb) {
      refuse(
        'bad_size',
        `${machine.id} has ${size.cpus} CPUs and ${size.memoryGb} GB already. Say another size.`,
      )
    }
    const extra = await priceOfResize(context, machine, size)
    // What costs less goes through also where nothing more may be put on the budget.
    const budget = machine.budget === null || extra <= 0 ? null : openBudget(context, machine.budget, caller)
    if (budget !== null && !autoApproves(budget, extra)) {
      const today = localDay(now, site.timezone)
      const tariffs = tariffsOf(site, await openCommitment(context, machine))
      const perDayMilli = fullPerDayMilli(size, tariffs, today)
      const { id: _, ...facts } = { ...machine, ...size }
      const request = await askFor(
        context,
        {
          ask: { kind: 'resize', machine: machine.id, ...size },
          template: facts.template,
          ...size,
          description: facts.description,
          purpose: `Another size for ${machine.id}: ${facts.purpose}`.slice(0, 500),
          administrators: facts.administrators,
          budget,
          quote: quoteKept({ totalMilli: extra, perDayMilli, lines: [] }, context),
        },
        known,
      )
      return { request: request.id }
    }
    const job = await resize(context, machine, { ...size, by: caller.user, request: null })
    return { job: job.id }
  },
})
