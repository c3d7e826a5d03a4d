import { z } from 'zod'
import { loadOf } from './capacity.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { InstantShape } from './shapes/fields.ts'

export const listHosts = query({
  name: 'list-hosts',
  summary: 'List the hosts with what they hold.',
  http: { method: 'GET', path: '/hosts' },
  input: z.object({}),
  output: z.object({
    items: z.array(
      z.object({
        name: z.string(),
        hypervisor: z.string(),
        version: z.string(),
        state: z.enum(['up', 'draining', 'down']),
        group: z.string(),
        cpus: z.number(),
        memoryGb: z.number(),
        slots: z.number(),
        machines: z.number(),
        usedCpus: z.number(),
        usedMemoryGb: z.number(),
        seenAt: InstantShape,
      }),
    ),
  }),
  allow: anybody,
  async run({ tx }) {
    const hosts = await tx.hosts.all()
    const load = await loadOf(tx, hosts)
    const items = hosts.map(({ id, hypervisor, version, state, group, cpus, memoryGb, slots, seenAt }) => {
      const used = load.get(id)
      return {
        ...{ name: id, hypervisor, version, state, group, cpus, memoryGb, slots, seenAt },
        machines: used?.machines ?? 0,
        usedCpus: used?.cpus ?? 0,
        usedMemoryGb: used?.memoryGb ?? 0,
      }
    })
    return { items }
  },
})
