import { z } from 'zod'
import { commit } from '../../pricing/commitment.ts'
import { chargedTerm } from '../../pricing/quote.ts'
import { refuse } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import { hasRole, type Person } from '../identity/person.ts'
import { mayControl } from '../machines/access.ts'
import type { Machine } from '../machines/machine.ts'
import { checkMayUse } from '../requests/approval.ts'
import { allocate } from '../machines/usage.ts'
import { holdFor } from './holding.ts'
import { change, type Context } from './operation.ts'
import { horizon } from './order.ts'
import { priceClassOn, promisesFor } from './promising.ts'
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
    const budget = checkMayUse(found ?? caller, input.budget, site.budgets, {
      today: localDay(context.now, site.timezone),
      asker: caller.user,
    })
    const claimed = allocate(machine, { owner, budget: budget.code }, context.now)
    await tx.machines.put(claimed)
    await payFor(context, claimed, budget.code)
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

/** From the day it is claimed; the days before were nobody's to pay. One that is past its end costs nothing more. */
async function payFor(context: Context, machine: Machine, budget: string): Promise<void> {
  const { now, site } = context
  const createdDay = localDay(machine.createdAt, site.timezone)
  const today = localDay(now, site.timezone)
  const end = localDay(horizon(machine.expiresAt, context), site.timezone)
  const paidTo = chargedTerm({ createdDay, from: today, to: end > today ? end : today }).to
  const { id, ref, expiresAt } = machine
  const promised = promisesFor({ from: today, to: paidTo }, context)
  const priceClass = await priceClassOn(context.tx, machine.host)
  const facts = {
    id,
    ref,
    budget,
    createdDay,
    paidTo,
    chargedTo: today,
    openEnded: expiresAt === null,
    promised,
    priceClass,
  }
  await holdFor(context, machine, commit(facts), 'checked')
}
