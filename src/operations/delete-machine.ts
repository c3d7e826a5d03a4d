import { z } from 'zod'
import { refuse } from '../base/errors.ts'
import { move } from '../base/states.ts'
import { enqueue } from '../jobs/outbox.ts'
import { checkVerb } from '../machines/control.ts'
import { machineStates } from '../machines/machine.ts'
import { jobFacts } from './control-machine.ts'
import { change } from './operation.ts'
import { anybody, steered } from './rules.ts'

export const deleteMachine = change({
  name: 'delete-machine',
  summary: 'Delete a machine and its disks for good. Money held for its remaining days comes back.',
  http: { method: 'DELETE', path: '/machines/{name}', status: () => 202 },
  input: z.object({ name: z.string().max(63) }),
  output: z.object({ job: z.string() }),
  subject: ({ name }) => `machine:${name}`,
  allow: anybody,
  async run(context, { name }) {
    const { tx, caller, now } = context
    const machine = await steered(context, name)
    // What is left of one that its pool has given up is for operators to clear away.
    if (machine.pool !== null && (await tx.desktops.get(name)) !== undefined) {
      refuse(
        'wrong_state',
        `${name} is a desktop of pool ${machine.pool}, which looks after its desktops itself.`,
      )
    }
    if (checkVerb(machine, 'delete') === 'already') return { job: machine.job ?? '' }
    const reason = `deleted by ${caller.user}`
    const job = await enqueue(
      context,
      'delete-machine',
      { machine: name, reason },
      jobFacts(context, machine),
    )
    const deleting = move(machineStates, machine, 'deleting', { at: now, reason })
    await tx.machines.put({ ...deleting, job: job.id, attentionAt: null })
    return { job: job.id }
  },
})
