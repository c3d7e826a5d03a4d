import { z } from 'zod'
import { type Known, namesOnBudget, peopleBehind } from './approvers.ts'
import { askFor } from './asking.ts'
import { change } from './operation.ts'
import { OrderFields } from './order.ts'
import { administratorWarnings, askedMachines, keyWarnings, RequestFields } from './ordering.ts'
import { anybody } from './rules.ts'
import { RequestShape, requestView } from './shapes/request.ts'

export const requestMachine = change({
  name: 'request-machine',
  summary: 'Ask for machines, to be paid from a budget.',
  http: { method: 'POST', path: '/requests', status: () => 201 },
  input: z.object({
    ...OrderFields,
    ...RequestFields,
    name: RequestFields.name.optional(),
    description: RequestFields.description.default(''),
    administrators: RequestFields.administrators.default([]),
    host: RequestFields.host.optional(),
    apart: RequestFields.apart.optional(),
    diskGb: RequestFields.diskGb.optional(),
    boot: RequestFields.boot.optional(),
  }),
  output: RequestShape,
  subject: (_input, answer) => (answer === undefined ? null : `request:${answer.id}`),
  allow: anybody,
  ask: async (outside, { budget, administrators }, { user }): Promise<{ known: Known; keys: number }> => {
    const names = [...namesOnBudget(outside, budget), ...administrators]
    const [known, keys] = await Promise.all([peopleBehind(outside, names), outside.directory.keysOf(user)])
    return { known, keys: keys.length }
  },
  async run(context, input, { known, keys }) {
    const { tx, caller, now, site } = context
    const warnings = [
      ...administratorWarnings(caller, input.administrators, known),
      ...(await keyWarnings(context, input, keys)),
    ]
    const asked = await askedMachines(context, input)
    const request = await askFor(context, asked, known)
    return requestView(request, { tx, now, site, warnings })
  },
})
