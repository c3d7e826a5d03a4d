import { z } from 'zod'
import { hasRole } from '../identity/person.ts'
import { goalsOf } from '../machines/group.ts'
import { explainPlacement, type HostView } from '../machines/placement.ts'
import type { PlacementOrder } from '../machines/placement-filters.ts'
import { sizeFor } from '../machines/sizing.ts'
import { loadOf } from './capacity.ts'
import { checkGroup } from './groups.ts'
import { movingOrder } from './migrate-machine.ts'
import { query, type ReadContext } from './operation.ts'
import { OrderFields, templateNamed } from './order.ts'
import { placementOf, RequestFields } from './ordering.ts'
import { anybody, seen } from './rules.ts'
import { text } from './shapes/fields.ts'

const Share = z.number()

const Input = z.object({
  template: OrderFields.template.optional(),
  cpus: OrderFields.cpus,
  memoryGb: OrderFields.memoryGb,
  count: OrderFields.count,
  group: OrderFields.group,
  host: RequestFields.host.optional(),
  apart: RequestFields.apart.optional(),
  /** A machine that is there already: where it could be moved to. */
  machine: text(63).optional(),
})

export const PlacementShape = z.object({
  /** Whether all of them find a host. */
  fits: z.boolean(),
  cpus: z.number(),
  memoryGb: z.number(),
  count: z.number(),
  hosts: z.array(
    z.object({
      host: z.string(),
      group: z.string(),
      /** Why it can take none; empty where it can. */
      reasons: z.array(z.string()),
      /** How good it is, 0 to 5 in halves; null where it can take none. For operators, as the rest. */
      stars: z.number().nullable().optional(),
      goal: z.enum(['spread', 'consolidate']).optional(),
      /** The share of each part that would stay free with one of them on it. */
      free: z.object({ memory: Share, cpus: Share, slots: Share }).nullable().optional(),
      /** How many of them it would get. */
      takes: z.number().optional(),
    }),
  ),
})

export const explainPlacementOf = query({
  name: 'explain-placement',
  summary:
    'Where machines would go, and why not elsewhere: each host with its reasons, and for operators its score.',
  http: { method: 'GET', path: '/placement' },
  input: Input,
  output: PlacementShape,
  allow: anybody,
  async run(context, input) {
    const { tx, caller, site } = context
    const order = await orderFor(context, input)
    const hosts = await tx.hosts.all()
    const goals = goalsOf(site.groups)
    const views = explainPlacement(order, hosts, await loadOf(tx, hosts), goals)
    const isOperator = hasRole(caller, 'operator')
    const placed = views.reduce((sum, { takes }) => sum + takes, 0)
    return {
      fits: placed === order.count,
      cpus: order.cpus,
      memoryGb: order.memoryGb,
      count: order.count,
      hosts: views.map((view) => ({
        ...{ host: view.host.id, group: view.host.group, reasons: view.reasons },
        ...(isOperator ? { ...scored(view), goal: goals.get(view.host.group) ?? 'spread' } : {}),
      })),
    }
  },
})

function scored({ score, takes }: HostView) {
  return { stars: score?.stars ?? null, free: score === null ? null : { ...score.free }, takes }
}

async function orderFor(context: ReadContext, input: z.output<typeof Input>): Promise<PlacementOrder> {
  const { site, caller } = context
  if (input.machine !== undefined) {
    return movingOrder(context.tx, await seen(context, input.machine), input.host)
  }
  checkGroup(caller, site, input.group)
  const template = templateNamed(site, input.template ?? site.templates[0]?.name ?? '')
  const { cpus, memoryGb } = input
  const size = sizeFor(template, {
    ...(cpus === undefined ? {} : { cpus }),
    ...(memoryGb === undefined ? {} : { memoryGb }),
  })
  const { count, group, host, apart } = input
  return placementOf(context, { ...size, count, template: template.name, group, host, apart })
}
