import { z } from 'zod'
import { checkVerb } from '../machines/control.ts'
import { type Known, namesOnBudget, peopleBehind } from './approvers.ts'
import { askFor } from './asking.ts'
import { capture } from './capture-machine.ts'
import { freeImageName } from './images.ts'
import { change } from './operation.ts'
import { OrderFields } from './order.ts'
import { askedMachines, RequestFields } from './ordering.ts'
import { anybody, steered } from './rules.ts'
import { refuse } from '../base/errors.ts'
import type { Machine } from '../machines/machine.ts'
import { text } from './shapes/fields.ts'
import { RequestShape, requestView } from './shapes/request.ts'

/** How long a test environment lasts where nothing is said. */
const testDays = 14

export const cloneMachine = change({
  name: 'clone-machine',
  summary:
    'Copies of a machine; or with a template, a test environment: a machine of that template beside a copy of the disk, on a network of its own.',
  http: { method: 'POST', path: '/machines/{machine}/clone', status: () => 202 },
  input: z.object({
    ...OrderFields,
    machine: z.string().max(63),
    /** What the copies are called; a name is found where none is said. */
    name: text(63).optional(),
    template: OrderFields.template.optional(),
    budget: RequestFields.budget.optional(),
    purpose: RequestFields.purpose.optional(),
  }),
  output: z.object({ job: z.string(), image: z.string(), request: RequestShape }),
  subject: ({ machine }) => `machine:${machine}`,
  allow: anybody,
  ask: (outside): Promise<Known> =>
    peopleBehind(
      outside,
      outside.site.budgets.flatMap(({ code }) => namesOnBudget(outside, code)),
    ),
  async run(context, { machine: id, template, ...order }, known) {
    const { tx, now, site } = context
    const machine = await steered(context, id)
    checkVerb(machine, 'clone')
    const stem = `${id.slice(0, 30)}-${template === undefined ? 'copy' : 'test'}`
    const copy = await capture(context, machine, { id: await freeImageName(context, stem), use: 'copies' })
    const isTest = template !== undefined
    const disks = isTest ? { data: copy.image, isolated: true } : { image: copy.image }
    const hasTerm = order.until !== undefined || order.days !== undefined
    const asked = await askedMachines(context, {
      ...order,
      ...disks,
      ...(hasTerm || !isTest ? {} : { days: testDays }),
      template: template ?? machine.template,
      cpus: order.cpus ?? (isTest ? undefined : machine.cpus),
      memoryGb: order.memoryGb ?? (isTest ? undefined : machine.memoryGb),
      description: machine.description,
      purpose: order.purpose ?? purposeOf(machine, isTest),
      administrators: machine.administrators,
      budget: order.budget ?? machine.budget ?? refuse('unknown_budget', 'Say which budget pays for it.'),
    })
    const request = await askFor(context, asked, known)
    return { ...copy, request: await requestView(request, { tx, now, site }) }
  },
})

function purposeOf({ id, purpose }: Machine, isTest: boolean): string {
  return `${isTest ? 'Test environment for' : 'Copy of'} ${id}: ${purpose}`.slice(0, 500)
}
