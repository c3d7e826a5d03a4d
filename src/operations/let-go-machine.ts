import { z } from 'zod'
import { refuse } from '../base/errors.ts'
import { redrawCards } from '../jobs/outbox.ts'
import { nextAttention } from '../machines/expiry.ts'
import { change } from './operation.ts'
import { anybody, steered } from './rules.ts'
import { MachineShape, machineView } from './shapes/machine.ts'

export const letGoMachine = change({
  name: 'let-go-machine',
  summary: 'Let a machine end when it is due, with no further reminders about that end.',
  http: { method: 'POST', path: '/machines/{name}/let-go' },
  input: z.object({ name: z.string().max(63) }),
  output: MachineShape,
  subject: ({ name }) => `machine:${name}`,
  allow: anybody,
  async run(context, { name }) {
    const { tx, now, site } = context
    const machine = await steered(context, name)
    if (machine.expiresAt === null)
      refuse('wrong_state', `${name} has no end. Delete it when you do not need it.`)
    const resigned = { ...machine, letGoOf: machine.expiresAt }
    const attentionAt = nextAttention(resigned, site.policies.machines, now, site.timezone)
    await tx.machines.put({ ...resigned, attentionAt })
    await redrawCards(context, `machine:${name}`)
    return machineView({ ...resigned, attentionAt }, context)
  },
})
