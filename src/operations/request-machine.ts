import { z } from 'zod'
import { Refusal, refuse } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import { hasRole } from '../identity/person.ts'
import { checkMayUse } from '../requests/approval.ts'
import { type Known, namesOnBudget, peopleBehind } from './approvers.ts'
import { askFor } from './asking.ts'
import { placeAll } from './capacity.ts'
import { serverGroup } from '../machines/host.ts'
import { checkedNames } from './names.ts'
import { change } from './operation.ts'
import { OrderFields, orderOf, priceNew } from './order.ts'
import { anybody } from './rules.ts'
import { text } from './shapes/fields.ts'
import { quoteKept } from './shapes/quote.ts'
import { RequestShape, requestView } from './shapes/request.ts'
import { checkHolds } from './accounts.ts'

export const requestMachine = change({
  name: 'request-machine',
  summary: 'Ask for machines, to be paid from a budget.',
  http: { method: 'POST', path: '/requests', status: () => 201 },
  input: z.object({
    ...OrderFields,
    name: text(63).optional(),
    description: text(200).default(''),
    purpose: text(500).pipe(z.string().min(1, 'what it is for: the approver reads it')),
    administrators: z.array(text(100)).max(20).default([]),
    host: text(63).optional(),
    budget: text(40).pipe(z.string().min(1, 'a budget code')),
  }),
  output: RequestShape,
  subject: (_input, answer) => (answer === undefined ? null : `request:${answer.id}`),
  allow: anybody,
  ask: (outside, { budget, administrators }): Promise<Known> =>
    peopleBehind(outside, [...namesOnBudget(outside, budget), ...administrators]),
  async run(context, input, known) {
    const { tx, caller, now, site } = context
    const budget = checkMayUse(caller, input.budget, site.budgets, {
      today: localDay(now, site.timezone),
    })
    if (input.host !== undefined && !hasRole(caller, 'operator')) {
      refuse('forbidden', 'Only operators choose the host. Leave it out and one is found.')
    }
    const warnings = administratorWarnings(caller, input.administrators, known)
    const { template, size, count, endsAt } = orderOf(input, { now, site })
    // Whoever asks learns now, not after the approval, that there is no money, no room or no such name.
    const names = await checkedNames(context, { base: input.name ?? null, template: template.name, count })
    const { quote, holds } = await priceNew(context, { names, budget: budget.code, size, endsAt })
    await checkHolds(context, budget, holds)
    await placeAll(tx, {
      ...size,
      count,
      ...(input.host === undefined ? { group: serverGroup } : { host: input.host }),
    })
    const request = await askFor(
      context,
      {
        ask: {
          kind: 'machines',
          count,
          name: input.name ?? null,
          host: input.host ?? null,
          until: endsAt,
          days: input.days ?? null,
        },
        template: template.name,
        ...size,
        description: input.description,
        purpose: input.purpose,
        administrators: input.administrators,
        budget,
        quote: quoteKept(quote, { now, site }),
      },
      known,
    )
    return requestView(request, { tx, now, site, warnings })
  },
})

/** @throws Refusal `invalid_input` for an administrator whom the directory does not know. */
function administratorWarnings(
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
