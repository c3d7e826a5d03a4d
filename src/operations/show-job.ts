import { z } from 'zod'
import { notFound } from '../base/errors.ts'
import { hasRole } from '../identity/person.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { JobShape, jobView } from './shapes/job.ts'
import { maySeeMachine } from './rules.ts'

export const showJob = query({
  name: 'show-job',
  summary: 'Show a job with its stages.',
  http: { method: 'GET', path: '/jobs/{id}' },
  input: z.object({ id: z.string().max(100) }),
  output: JobShape,
  allow: anybody,
  async run({ tx, caller, site }, { id }) {
    const job = await tx.jobs.get(id)
    if (job === undefined) throw notFound('job', id)
    const machine = job.subject.startsWith('machine:')
      ? await tx.machines.get(job.subject.slice(8))
      : undefined
    const theirs = job.by === caller.user || hasRole(caller, 'operator') || hasRole(caller, 'auditor')
    if (!theirs && (machine === undefined || !maySeeMachine(caller, machine, site))) throw notFound('job', id)
    return jobView(job)
  },
})
