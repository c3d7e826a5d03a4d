import { z } from 'zod'
import type { BudgetRule } from '../../pricing/budget.ts'
import { refuse } from '../base/errors.ts'
import { isLocalDay, type LocalDay, localDay } from '../base/period.ts'
import { hasRole, type Person } from '../identity/person.ts'
import { isOwner } from '../machines/access.ts'
import type { Machine } from '../machines/machine.ts'
import { checkMayUse, mayUseBudget } from '../requests/approval.ts'
import { type Known, namesOnBudget, peopleBehind } from './approvers.ts'
import { checkHolds } from './accounts.ts'
import { askFor } from './asking.ts'
import { change, type Context } from './operation.ts'
import { anybody, seen } from './rules.ts'
import { text } from './shapes/fields.ts'
import { MachineShape, machineView } from './shapes/machine.ts'
import { quoteKept } from './shapes/quote.ts'
import { checkTransferable, handOn, holdsOn, type Owned, priceOfTransfer } from './transferring.ts'

const Requested = z.object({ request: z.string() })

export const transferMachine = change({
  name: 'transfer-machine',
  summary:
    'Hand a machine to another owner, another budget, or both, from today or a later day on. Another budget has to agree first.',
  http: {
    method: 'POST',
    path: '/machines/{name}/transfer',
    status: (answer) => (Requested.safeParse(answer).success ? 202 : 200),
  },
  input: z.object({
    name: z.string().max(63),
    owner: text(100).optional(),
    budget: text(40).optional(),
    reason: text(200).optional(),
    /** The first day that it is so; today where none is said. */
    from: z.string().refine(isLocalDay, 'a day, such as 2026-12-31').optional(),
  }),
  output: z.union([MachineShape, Requested]),
  subject: ({ name }) => `machine:${name}`,
  allow: anybody,
  ask: async (outside, { owner, budget }): Promise<{ found: Person | undefined; known: Known }> => ({
    found: owner === undefined ? undefined : await outside.directory.find(owner),
    known: await peopleBehind(outside, budget === undefined ? [] : namesToKnow(outside, budget)),
  }),
  async run(context, input, { found, known }) {
    const machine = await seen(context, input.name)
    checkGiver(context, machine)
    checkTransferable(machine)
    const from = firstDay(context, machine, input.from)
    if (input.owner !== undefined && found === undefined) {
      refuse('invalid_input', `The directory knows nobody called ${input.owner}.`, {
        errors: [{ path: 'owner', message: 'a user name of the directory' }],
      })
    }
    const taker = found ?? ownerOf(machine, context, known)
    const budget = budgetFor(context, machine, taker, input.budget)
    if (taker.user === machine.owner && budget.code === machine.budget) {
      const stands = `${machine.id} belongs to ${taker.user} and is paid from ${budget.code} already.`
      refuse('invalid_input', `${stands} Say another owner or another budget.`, {
        errors: [{ path: 'owner', message: 'another owner, or another budget' }],
      })
    }
    if (budget.code !== machine.budget) {
      const pending = await askBudget(context, machine, {
        ...{ taker, budget, from, known },
        reason: input.reason ?? '',
      })
      if (pending !== null) return { request: pending }
    } else {
      const { user: by } = context.caller
      await handOn(context, machine, { owner: taker.user, budget: budget.code, by, from })
    }
    return machineView((await context.tx.machines.get(machine.id)) ?? machine, context)
  },
})

/** Those who decide on the budget, and those who may use it: the present owner may keep the machine on it. */
function namesToKnow(outside: Parameters<typeof namesOnBudget>[0], budget: string): string[] {
  const code = budget.toUpperCase()
  const members = outside.site.budgets.find((known) => known.code === code)?.members ?? []
  return [...namesOnBudget(outside, code), ...members.filter((name) => name !== 'everyone')]
}

function checkGiver({ caller }: Context, machine: Machine): void {
  if (isOwner(caller, machine) || hasRole(caller, 'operator')) return
  const whose = machine.owner ?? 'nobody yet'
  refuse('forbidden', `${machine.id} belongs to ${whose}. Only its owner or an operator may hand it on.`)
}

/** The owner as far as budgets care, when somebody else moves the machine: with the groups that the budget names. */
function ownerOf(machine: Owned, { caller }: Context, known: Known): Pick<Person, 'user' | 'groups'> {
  if (isOwner(caller, machine)) return caller
  const { owner } = machine
  const groups = [...known].filter(([, people]) => people.some(({ user }) => user === owner))
  return { user: owner, groups: groups.map(([name]) => name) }
}

/** @throws Refusal `bad_term` for a day that has passed, whose price is charged, or that it will not see. */
function firstDay(
  { now, site }: Context,
  { id, expiresAt }: Machine,
  from: LocalDay | undefined,
): LocalDay | undefined {
  const today = localDay(now, site.timezone)
  if (from === undefined || from === today) return undefined
  if (from < today) {
    refuse('bad_term', `${from} has passed, and its price stays whose it was. Choose today or a later day.`)
  }
  const last = expiresAt === null ? null : localDay(expiresAt, site.timezone)
  if (last !== null && from >= last) refuse('bad_term', `${id} ends on ${last}. Choose an earlier day.`)
  return from
}

/** The budget that will pay. A machine that stays on its own budget may do so also when that is closed. */
function budgetFor(
  { caller, now, site }: Context,
  machine: Owned,
  taker: Pick<Person, 'user' | 'groups'>,
  wanted: string | undefined,
): BudgetRule {
  const code = wanted?.toUpperCase() ?? machine.budget
  const own = site.budgets.find((rule) => rule.code === machine.budget)
  if (own?.code === code && (taker.user === machine.owner || mayUseBudget(taker, own))) return own
  const on = { today: localDay(now, site.timezone), asker: caller.user }
  return checkMayUse(taker, code, site.budgets, on)
}

/** Asks the new budget's holders; null when they need not be asked and the machine is handed on already. */
async function askBudget(
  context: Context,
  machine: Owned,
  facts: {
    taker: Pick<Person, 'user'>
    budget: BudgetRule
    reason: string
    known: Known
    from: LocalDay | undefined
  },
): Promise<string | null> {
  const { now, site } = context
  const { taker, budget, reason, known, from } = facts
  const price = await priceOfTransfer(context, machine, from)
  // Whoever asks learns now, not after the approval, that there is no money.
  await checkHolds(context, budget, await holdsOn(context, machine, budget.code))
  const { id, owner, template, cpus, memoryGb, description, administrators, expiresAt: until } = machine
  const when = from === undefined ? '' : ` from ${from} on`
  const what = `${id} from ${owner} on ${machine.budget} to ${taker.user} on ${budget.code}${when}`
  const ask = {
    kind: 'transfer',
    machine: id,
    owner: taker.user,
    was: { owner, budget: machine.budget },
    until,
    ...(from === undefined ? {} : { from }),
  } as const
  const request = await askFor(
    context,
    {
      ...{ ask, template, cpus, memoryGb, description, administrators, budget },
      purpose: `${what}: ${reason === '' ? machine.purpose : reason}`.slice(0, 500),
      quote: quoteKept(price, { now, site }),
    },
    known,
  )
  return request.state === 'pending' ? request.id : null
}
