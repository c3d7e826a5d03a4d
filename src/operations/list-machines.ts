import { z } from 'zod'
import { addDuration, IsoDuration } from '../base/duration.ts'
import { hasRole } from '../identity/person.ts'
import type { Machine } from '../machines/machine.ts'
import type { Page } from '../store/store.ts'
import { pageOf } from './paging.ts'
import { query, type ReadContext } from './operation.ts'
import { anybody, maySeeMachine } from './rules.ts'
import { Paging } from './shapes/fields.ts'
import { MachineShape, machineStateNames, machineView } from './shapes/machine.ts'

const Filters = z.object({
  state: machineStateNames.optional(),
  owner: z.string().max(100).optional(),
  budget: z.string().max(40).optional(),
  pool: z.string().max(40).optional(),
  expiringWithin: IsoDuration.optional(),
  orphan: z.stringbool().optional(),
  /** Only what the caller owns or administers, also for those who may see more. */
  mine: z.stringbool().optional(),
  ...Paging,
})
type Filters = z.output<typeof Filters>

export const listMachines = query({
  name: 'list-machines',
  summary: 'List machines by name: those that you may see.',
  http: { method: 'GET', path: '/machines' },
  input: Filters,
  output: z.object({ items: z.array(MachineShape), next: z.string().nullable() }),
  allow: anybody,
  async run(context, filters) {
    const keep = (machine: Machine): boolean => passes(machine, filters, context)
    const page = await candidates(context, filters, keep)
    return {
      items: await Promise.all(page.items.map((machine) => machineView(machine, context))),
      next: page.next,
    }
  },
})

function passes(machine: Machine, filters: Filters, { caller, now, site }: ReadContext): boolean {
  const { state, owner, budget, pool, expiringWithin, orphan } = filters
  if (state === undefined ? machine.state === 'deleted' : machine.state !== state) return false
  if (owner !== undefined && machine.owner !== owner) return false
  if (budget !== undefined && machine.budget !== budget) return false
  if (pool === undefined ? machine.pool !== null : machine.pool !== pool) return false
  if (orphan !== undefined && (machine.owner === null) !== orphan) return false
  if (expiringWithin !== undefined) {
    const bound = addDuration(now, expiringWithin, site.timezone)
    if (machine.expiresAt === null || machine.expiresAt > bound) return false
  }
  return maySeeMachine(caller, machine, site)
}

/** The shortest way to what is asked for: an index where one fits, everything only for those who may see everything. */
async function candidates(
  { tx, caller, site }: ReadContext,
  filters: Filters,
  keep: (machine: Machine) => boolean,
): Promise<Page<Machine>> {
  const { limit = 50, cursor, mine = false } = filters
  const everything = hasRole(caller, 'operator') || hasRole(caller, 'auditor')
  const where = indexFor(filters)
  if (!mine && (everything || where !== undefined)) {
    return pageOf(tx.machines, { where, cursor, limit, order: ({ id }) => id }, keep)
  }
  const budgets = mine ? [] : site.budgets.filter(({ holders }) => holders.includes(caller.user))
  const found = await Promise.all([
    tx.machines.find('owner', caller.user),
    ...['everyone', caller.user, ...caller.groups].map((name) => tx.machines.find('administrator', name)),
    ...budgets.map(({ code }) => tx.machines.find('budget', code)),
  ])
  const unique = new Map(found.flat().map((machine) => [machine.id, machine]))
  const sorted = [...unique.values()].filter(keep).sort((a, b) => (a.id < b.id ? -1 : 1))
  const items = sorted.filter(({ id }) => cursor === undefined || id > cursor).slice(0, limit)
  const last = items.at(-1)
  return { items, next: last === undefined || last === sorted.at(-1) ? null : last.id }
}

function indexFor({ orphan, pool, budget, owner, state }: Filters) {
  if (orphan === true) return { index: 'orphan', key: 'yes' } as const
  if (pool !== undefined) return { index: 'pool', key: pool } as const
  if (owner !== undefined) return { index: 'owner', key: owner } as const
  if (budget !== undefined) return { index: 'budget', key: budget } as const
  return state === undefined ? undefined : ({ index: 'state', key: state } as const)
}
