import { z } from 'zod'
import { commit } from '../../pricing/budget.ts'
import { refuse } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import { hasRole, type Person } from '../identity/person.ts'
import { mayControl } from '../machines/access.ts'
import type { Machine } from '../machines/machine.ts'
import { checkMayUse } from '../requests/approval.ts'
import { holdOn } from './holding.ts'
import { change, type Context } from './operation.ts'
import { horizon, priceOf } from './order.ts'
import { anybody, seen } from './rules.ts'
import { text } from './shapes/fields.ts'
import { MachineShape, machineView } from './shapes/machine.ts'

export const claimMachine = change({
  name: 'claim-machine',
  summary: 'Give a machine that nobody owns or pays for an owner and a budget.',
  http: { method: 'POST', path: '/machines/{name}/claim' },
  input: z.object({ name: z.string().max(63), owner: text(100).optional(), budget: text(40) }),
  output: MachineShape,
  subject: ({ name }) => `machine:${name}`,
  allow: anybody,
  ask: async ({ directory }, { owner }): Promise<Person | undefined> =>
    owner === undefined ? undefined : directory.find(owner),
  async run(context, input, found) {
    const { tx, caller, site } = context
    const machine = await seen(context, input.name)
    checkClaim(context, machine, input.owner)
    if (input.owner !== undefined && found === undefined) {
      refuse('invalid_input', `The directory knows nobody called ${input.owner}.`, {
        errors: [{ path: 'owner', message: 'a user name of the directory' }],
      })
    }
    const owner = found?.user ?? machine.owner ?? caller.user
    // Whose machine it becomes is who will spend from it, not who claims it for them.
    const budget = checkMayUse(found ?? caller, input.budget, site.budgets)
    await payFor(context, machine, budget.code)
    const claimed = { ...machine, owner, budget: budget.code }
    await tx.machines.put(claimed)
    return machineView(claimed, context)
  },
})

function checkClaim({ caller }: Context, machine: Machine, owner: string | undefined): void {
  if (machine.owner !== null && machine.budget !== null) {
    refuse('not_an_orphan', `${machine.id} belongs to ${machine.owner} and is paid from ${machine.budget}.`)
  }
  if (hasRole(caller, 'operator')) return
  if (!mayControl(caller, machine)) {
    refuse(
      'forbidden',
      `Only operators and members of ${machine.administrators.join(', ')} may claim ${machine.id}.`,
    )
  }
  if (owner !== undefined && owner !== caller.user)
    refuse('forbidden', 'Only operators may claim for somebody else.')
}

/** From the day it is claimed; the days before were nobody's to pay. */
async function payFor(context: Context, machine: Machine, code: string): Promise<void> {
  const { tx, now, site } = context
  const size = { cpus: machine.cpus, memoryGb: machine.memoryGb }
  const today = localDay(now, site.timezone)
  const ends = horizon(machine.expiresAt, context)
  const to = ends > now ? ends : now
  const price = priceOf({ size, count: 1, from: now, to, createdAt: machine.createdAt }, context)
  await holdOn(context, code, price.totalMilli)
  const createdDay = localDay(machine.createdAt, site.timezone)
  const last = localDay(to, site.timezone)
  const paidTo = last > today ? last : localDay(horizon(null, context), site.timezone)
  await tx.commitments.put(
    commit({ machine: machine.id, budget: code, createdDay, paidTo, heldMilli: price.totalMilli }),
  )
}
