import { z } from 'zod'
import type { Drain } from '../machines/drain.ts'
import { hasRole } from '../identity/person.ts'
import { loadOf } from './capacity.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { InstantShape } from './shapes/fields.ts'

export const DrainShape = z.object({
  by: z.string(),
  at: InstantShape,
  doneAt: InstantShape.nullable(),
  saved: z.array(z.string()),
  why: z.array(z.object({ machine: z.string(), why: z.string() })),
})

function drainView({ by, at, doneAt, saved, why }: Drain): z.infer<typeof DrainShape> {
  return { by, at, doneAt, saved, why }
}

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
        /** Set while it is kept free for maintenance: since when, for whom, and what could not leave. */
        drain: DrainShape.nullable(),
        /** What its processors are, where that is known. */
        cpu: z.string().nullable(),
        /** What it still has of machines that were deleted here; only for operators. */
        leftovers: z.array(z.object({ ref: z.string(), name: z.string(), providerState: z.string() })),
      }),
    ),
  }),
  allow: anybody,
  async run({ tx, caller }) {
    const mayRemove = hasRole(caller, 'operator')
    const hosts = await tx.hosts.all()
    const load = await loadOf(tx, hosts)
    const items = hosts.map(
      ({ id, hypervisor, version, state, group, cpus, memoryGb, slots, seenAt, drain, ...rest }) => {
        const used = load.get(id)
        return {
          ...{ name: id, hypervisor, version, state, group, cpus, memoryGb, slots, seenAt },
          machines: used?.machines ?? 0,
          usedCpus: used?.cpus ?? 0,
          usedMemoryGb: used?.memoryGb ?? 0,
          drain: drain === undefined ? null : drainView(drain),
          cpu: rest.cpu ?? null,
          leftovers: mayRemove ? (rest.leftovers ?? []) : [],
        }
      },
    )
    return { items }
  },
})
