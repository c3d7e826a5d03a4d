import { z } from 'zod'
import { notFound, refuse } from '../base/errors.ts'
import { type Desk, enqueue } from '../jobs/outbox.ts'
import { checkVerb } from '../machines/control.ts'
import type { Machine } from '../machines/machine.ts'
import { placeAll } from './capacity.ts'
import { checkAtRest } from './control-machine.ts'
import { change } from './operation.ts'
import { placementOf } from './ordering.ts'
import { anybody, steered } from './rules.ts'
import type { Site } from './site.ts'

export const restoreMachine = change({
  name: 'restore-machine',
  summary: 'Bring a machine back from the library.',
  http: { method: 'POST', path: '/machines/{name}/restore', status: () => 202 },
  input: z.object({ name: z.string().max(63) }),
  output: z.object({ job: z.string() }),
  subject: ({ name }) => `machine:${name}`,
  allow: anybody,
  async run(context, { name }) {
    const machine = await steered(context, name)
    checkVerb(machine, 'restore')
    await checkAtRest(context, machine)
    return beginRestore(context, machine, context.caller.user)
  },
})

/** Finds a host for a machine from the library and leaves the work behind. @throws Refusal `no_capacity`. */
export async function beginRestore(
  desk: Desk & { site: Site },
  machine: Machine,
  by: string,
): Promise<{ job: string }> {
  const { archive, cpus, memoryGb, id } = machine
  if (archive === undefined || archive === null) throw notFound('archive of', id)
  const { template } = machine
  const order = await placementOf(desk, { cpus, memoryGb, count: 1, template, image: archive.image })
  const [host] = await placeAll(desk, order)
  if (host === undefined) refuse('no_capacity', `No host can take ${id}.`)
  const job = await enqueue(desk, 'restore-machine', { machine: id }, { subject: `machine:${id}`, by })
  await desk.tx.machines.put({ ...machine, host: host.id, job: job.id, attentionAt: null })
  return { job: job.id }
}
