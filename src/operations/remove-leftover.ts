import { z } from 'zod'
import { notFound } from '../base/errors.ts'
import { enqueue } from '../jobs/outbox.ts'
import { change } from './operation.ts'
import { operators } from './rules.ts'

export const removeLeftover = change({
  name: 'remove-leftover',
  summary: 'Remove what a host still has of a machine that was deleted here.',
  http: { method: 'DELETE', path: '/hosts/{name}/leftovers/{ref}', status: () => 202 },
  input: z.object({ name: z.string().max(63), ref: z.string().max(100) }),
  output: z.object({ job: z.string() }),
  subject: ({ name }) => `host:${name}`,
  allow: operators,
  async run(context, { name, ref }) {
    const host = await context.tx.hosts.get(name)
    const leftover = host?.leftovers?.find((one) => one.ref === ref)
    if (host === undefined || leftover === undefined) throw notFound('leftover', ref)
    const input = { ref, hypervisor: host.hypervisor, host: name }
    const facts = { subject: `leftover:${ref}`, by: context.caller.user }
    return { job: (await enqueue(context, 'remove-leftover', input, facts)).id }
  },
})
