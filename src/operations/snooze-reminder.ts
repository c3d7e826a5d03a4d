import { z } from 'zod'
import { plusMillis } from '../base/clock.ts'
import { refuse } from '../base/errors.ts'
import { redrawCards } from '../jobs/outbox.ts'
import { nextAttention } from '../machines/expiry.ts'
import { change } from './operation.ts'
import { anybody, steered } from './rules.ts'
import { MachineShape, machineView } from './shapes/machine.ts'

export const snoozeReminder = change({
  name: 'snooze-reminder',
  summary: 'Be reminded of the end of a machine later, and not before.',
  http: { method: 'POST', path: '/machines/{name}/snooze' },
  input: z.object({ name: z.string().max(63), hours: z.coerce.number().int().min(1).max(720).default(24) }),
  output: MachineShape,
  subject: ({ name }) => `machine:${name}`,
  allow: anybody,
  async run(context, { name, hours }) {
    const { tx, now, site } = context
    const machine = await steered(context, name)
    const until = plusMillis(now, hours * 3_600_000)
    const { expiresAt } = machine
    if (expiresAt === null || until >= expiresAt) {
      return refuse('bad_term', `${name} ends before that. Extend it, save it or let it go.`)
    }
    const snoozed = { ...machine, snoozed: { end: expiresAt, until } }
    const attentionAt = nextAttention(snoozed, site.policies.machines, now, site.timezone)
    await tx.machines.put({ ...snoozed, attentionAt })
    await redrawCards(context, `machine:${name}`)
    return machineView({ ...snoozed, attentionAt }, context)
  },
})
