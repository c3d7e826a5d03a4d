import { z } from 'zod'
import { Refusal, refuse } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import { hasRole } from '../identity/person.ts'
import { serverGroup } from '../machines/host.ts'
import { checkMayUse } from '../requests/approval.ts'
import { checkHolds } from './accounts.ts'
import type { Known } from './approvers.ts'
import type { Asked } from './asking.ts'
import { placeAll } from './capacity.ts'
import { checkedNames } from './names.ts'
import type { Context } from './operation.ts'
import { type OrderFields, orderOf, priceNew } from './order.ts'
import { text } from './shapes/fields.ts'
import { quoteKept } from './shapes/quote.ts'

/** What a request for machines says beside the order itself. */
export const RequestFields = {
  name: text(63),
  description: text(200),
  purpose: text(500).pipe(z.string().min(1, 'what it is for: the approver reads it')),
  administrators: z.array(text(100)).max(20),
  host: text(63),
  budget: text(40).pipe(z.string().min(1, 'a budget code')),
}

/** A request for machines as somebody makes it, complete. */
export interface Wanted extends z.output<z.ZodObject<typeof OrderFields>> {
  name?: string | undefined
  description: string
  purpose: string
  administrators: string[]
  host?: string | undefined
  budget: string
}

/**
 * Checks and prices what is asked for. Whoever asks learns now, not after the approval, that there is no money, no room
 * or no such name.
 * @throws Refusal about the first thing wrong.
 */
export async function askedMachines(context: Context, wanted: Wanted): Promise<Asked> {
  const { tx, caller, now, site } = context
  const today = localDay(now, site.timezone)
  const budget = checkMayUse(caller, wanted.budget, site.budgets, { today })
  if (wanted.host !== undefined && !hasRole(caller, 'operator')) {
    refuse('forbidden', 'Only operators choose the host. Leave it out and one is found.')
  }
  const { template, size, count, endsAt } = orderOf(wanted, { now, site })
  const names = await checkedNames(context, { base: wanted.name ?? null, template: template.name, count })
  const { quote, holds } = await priceNew(context, {
    ...{ names, budget: budget.code, size, endsAt },
    host: wanted.host ?? null,
  })
  await checkHolds(context, budget, holds)
  const where = wanted.host === undefined ? { group: serverGroup } : { host: wanted.host }
  await placeAll(tx, { ...size, count, ...where })
  const [name, host] = [wanted.name ?? null, wanted.host ?? null]
  return {
    ask: { kind: 'machines', count, name, host, until: endsAt, days: wanted.days ?? null },
    template: template.name,
    ...size,
    description: wanted.description,
    purpose: wanted.purpose,
    administrators: wanted.administrators,
    budget,
    quote: quoteKept(quote, { now, site }),
  }
}

/**
 * What is odd about those who are to be administrators.
 * @throws Refusal `invalid_input` for an administrator whom the directory does not know.
 */
export function administratorWarnings(
  caller: { user: string; groups: readonly string[] },
  names: readonly string[],
  known: Known,
): string[] {
  const unknown = names.filter((name) => (known.get(name) ?? []).length === 0)
  if (unknown[0] !== undefined) {
    throw new Refusal(
      'invalid_input',
      `The directory knows no user or group ${unknown[0]} with anybody in it.`,
      {
        errors: unknown.map((name) => ({ path: 'administrators', message: `${name} is not known` })),
      },
    )
  }
  return names
    .filter((name) => !(known.get(name) ?? []).some(({ user }) => user === caller.user))
    .map(
      (name) =>
        `You are not a member of ${name}: its members will be able to do what you can, you remain the owner.`,
    )
}
