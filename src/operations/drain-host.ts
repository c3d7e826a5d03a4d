import { z } from 'zod'
import { notFound, refuse } from '../base/errors.ts'
import { enqueue, tell } from '../jobs/outbox.ts'
import { newDrain } from '../machines/drain.ts'
import { isAlive } from '../machines/machine.ts'
import { change } from './operation.ts'
import { operators } from './rules.ts'

export const drainHost = change({
  name: 'drain-host',
  summary:
    'Empty a host for maintenance: nothing new is placed on it, its machines are moved, and saved where they cannot be.',
  http: { method: 'POST', path: '/hosts/{name}/drain', status: () => 202 },
  input: z.object({ name: z.string().max(63) }),
  output: z.object({ job: z.string(), machines: z.array(z.string()) }),
  subject: ({ name }) => `host:${name}`,
  allow: operators,
  async run(context, { name }) {
    const { tx, caller, now } = context
    const host = await tx.hosts.get(name)
    if (host === undefined) throw notFound('host', name)
    if (host.drain !== undefined) {
      refuse(
        'wrong_state',
        `${name} is being emptied since ${host.drain.at}. Return it when maintenance is over.`,
      )
    }
    const state = host.state === 'down' ? 'down' : 'draining'
    await tx.hosts.put({ ...host, state, drain: newDrain(caller.user, now) })
    const machines = (await tx.machines.find('host', name)).filter(isAlive)
    for (const { id, owner } of machines) {
      if (owner === null) continue
      const text = `${id} is moved off ${name}, which needs maintenance: without a break where it can be, else saved for a while.`
      await tell(context, { kind: 'machine-changed', about: { kind: 'machine', id }, to: [owner], text })
    }
    const job = await enqueue(
      context,
      'drain-host',
      { host: name },
      { subject: `host:${name}`, by: caller.user },
    )
    return { job: job.id, machines: machines.map(({ id }) => id) }
  },
})
