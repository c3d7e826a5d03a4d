import { z } from 'zod'
import { notFound, refuse } from '../base/errors.ts'
import type { SnapshotDeed } from '../jobs/job.ts'
import { enqueue } from '../jobs/outbox.ts'
import { checkVerb } from '../machines/control.ts'
import type { Machine } from '../machines/machine.ts'
import { checkAtRest, jobFacts } from './control-machine.ts'
import { change, type Context, type HttpFace } from './operation.ts'
import { anybody, steered } from './rules.ts'

const machineName = z.string().max(63)

/** Part of file names and command lines of hypervisors, hence the narrow alphabet. */
export const SnapshotName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,31}$/, 'lower-case letters, digits, dots and dashes, at most 32')

const Accepted = z.object({ job: z.string() })
const accepted = () => 202

/** Each costs the hypervisor time at every write to the disk. */
const mostSnapshots = 10

export const takeSnapshot = change({
  name: 'take-snapshot',
  summary: 'Keep the state of a machine, to go back to.',
  http: { method: 'POST', path: '/machines/{machine}/snapshots', status: accepted },
  input: z.object({ machine: machineName, name: SnapshotName }),
  output: Accepted,
  subject: ({ machine }) => `machine:${machine}`,
  allow: anybody,
  async run(context, { machine: id, name }) {
    const machine = await steered(context, id)
    checkVerb(machine, 'snapshot')
    const known = machine.snapshots ?? []
    if (known.some((snapshot) => snapshot.name === name)) {
      refuse('name_taken', `${id} has a snapshot ${name} already. Choose another name, or delete that one.`)
    }
    if (known.length >= mostSnapshots) {
      refuse('wrong_state', `${id} has ${known.length} snapshots, which is the most. Delete one first.`)
    }
    return begin(context, machine, 'take', name)
  },
})

/** What is done with a snapshot that there is: going back to it, or forgetting it. */
function withSnapshot(
  deed: Exclude<SnapshotDeed, 'take'>,
  spec: { name: string; summary: string; http: Pick<HttpFace, 'method' | 'path'> },
) {
  return change({
    ...spec,
    http: { ...spec.http, status: accepted },
    input: z.object({ machine: machineName, snapshot: z.string().max(32) }),
    output: Accepted,
    subject: ({ machine }) => `machine:${machine}`,
    allow: anybody,
    async run(context, { machine: id, snapshot }) {
      const machine = await steered(context, id)
      checkVerb(machine, 'revert')
      return begin(context, machine, deed, known(machine, snapshot))
    },
  })
}

export const revertSnapshot = withSnapshot('revert', {
  name: 'revert-snapshot',
  summary: 'Go back to a snapshot: what came after it is lost.',
  http: { method: 'POST', path: '/machines/{machine}/snapshots/{snapshot}/revert' },
})

export const deleteSnapshot = withSnapshot('forget', {
  name: 'delete-snapshot',
  summary: 'Forget a snapshot. The machine stays as it is.',
  http: { method: 'DELETE', path: '/machines/{machine}/snapshots/{snapshot}' },
})

function known({ id, snapshots = [] }: Machine, name: string): string {
  if (snapshots.some((snapshot) => snapshot.name === name)) return name
  throw notFound(`snapshot of ${id}`, name)
}

async function begin(
  context: Context,
  machine: Machine,
  deed: SnapshotDeed,
  snapshot: string,
): Promise<{ job: string }> {
  await checkAtRest(context, machine)
  const input = { machine: machine.id, deed, snapshot }
  const job = await enqueue(context, 'snapshot-machine', input, jobFacts(context, machine))
  await context.tx.machines.put({ ...machine, job: job.id })
  return { job: job.id }
}
