import { z } from 'zod'
import { query } from './operation.ts'
import { anybody, seen } from './rules.ts'
import { savingsOf } from './saving.ts'
import { MachineShape, machineView } from './shapes/machine.ts'

export const showMachine = query({
  name: 'show-machine',
  summary: 'Show a machine with its state, its cost and the progress of what is being done to it.',
  http: { method: 'GET', path: '/machines/{name}' },
  input: z.object({ name: z.string().max(63) }),
  output: MachineShape,
  allow: anybody,
  async run(context, { name }) {
    const machine = await seen(context, name)
    const [view, savings] = [await machineView(machine, context), await savingsOf(machine, context)]
    return { ...view, ...(savings === undefined ? {} : { savings }) }
  },
})
