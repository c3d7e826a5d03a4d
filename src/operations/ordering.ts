import { z } from 'zod'
import { Refusal, refuse } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import { hasRole } from '../identity/person.ts'
import { serverGroup } from '../machines/host.ts'
import type { Size } from '../machines/machine.ts'
import type { PlacementOrder } from '../machines/placement-filters.ts'
import type { ReadTransaction } from '../store/store.ts'
import { checkMayUse } from '../requests/approval.ts'
import { checkHolds } from './accounts.ts'
import type { Known } from './approvers.ts'
import type { Asked } from './asking.ts'
import { placeAll } from './capacity.ts'
import { checkGroup, groupNamed } from './groups.ts'
import { fromImage } from './images.ts'
import { checkedNames } from './names.ts'
import type { Context } from './operation.ts'
import { type OrderFields, orderOf, priceNew } from './order.ts'
import { text } from './shapes/fields.ts'
import { quoteKept } from './shapes/quote.ts'
import type { Site } from './site.ts'

/** What a request for machines says beside the order itself. */
export const RequestFields = {
  name: text(63),
  description: text(200),
  purpose: text(500).pipe(z.string().min(1, 'what it is for: the approver reads it')),
  administrators: z.array(text(100)).max(20),
  host: text(63),
  apart: z.stringbool().or(z.boolean()),
  budget: text(40).pipe(z.string().min(1, 'a budget code')),
}

/** A request for machines as somebody makes it, complete. */
export interface Wanted extends z.output<z.ZodObject<typeof OrderFields>> {
  name?: string | undefined
  description: string
  purpose: string
  administrators: string[]
  host?: string | undefined
  apart?: boolean | undefined
  budget: string
  /** What they are made from or have beside them; see `Ask`. */
  image?: string | undefined
  data?: string | undefined
  isolated?: boolean | undefined
}

/**
 * Checks and prices what is asked for. Whoever asks learns now, not after the approval, that there is no money, no room
 * or no such name.
 * @throws Refusal about the first thing wrong.
 */
export async function askedMachines(context: Context, said: Wanted): Promise<Asked> {
  const { caller, now, site } = context
  const wanted = said.image === undefined ? await fromImage(context, said) : said
  const today = localDay(now, site.timezone)
  const budget = checkMayUse(caller, wanted.budget, site.budgets, { today })
  if (wanted.host !== undefined && !hasRole(caller, 'operator')) {
    refuse('forbidden', 'Only operators choose the host. Leave it out and one is found.')
  }
  checkGroup(caller, site, wanted.group)
  const { template, size, count, endsAt } = orderOf(wanted, { now, site })
  const stem = wanted.image ?? template.name
  const names = await checkedNames(context, { base: wanted.name ?? null, template: stem, count })
  const { quote, holds } = await priceNew(context, {
    ...{ names, budget: budget.code, size, endsAt },
    host: wanted.host ?? null,
    group: wanted.group,
  })
  await checkHolds(context, budget, holds)
  const place = { ...wanted, ...size, count, template: template.name }
  await placeAll(context, await placementOf(context, place))
  const [name, host] = [wanted.name ?? null, wanted.host ?? null]
  const ask = { kind: 'machines', count, name, host, until: endsAt, days: wanted.days ?? null } as const
  return {
    ask: { ...ask, ...placeOf(wanted), ...disksOf(wanted) },
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

/**
 * Where machines may go: to the host that was chosen, else the group that was, else the one for servers; where their
 * image is, if they have one, else where their template is.
 */
export async function placementOf(
  { tx, site }: { tx: ReadTransaction; site: Site },
  order: Size & {
    count: number
    template: string
    host?: string | null | undefined
    group?: string | undefined
    apart?: boolean | undefined
    image?: string | undefined
    data?: string | undefined
  },
): Promise<PlacementOrder> {
  const { cpus, memoryGb, count, host, group = serverGroup, image, data, template } = order
  const where = host === undefined || host === null ? { group } : { host }
  const apart = order.apart ?? groupNamed(site, group)?.apart ?? false
  const id = image ?? data
  const from = image === undefined ? { template } : {}
  if (id === undefined) return { cpus, memoryGb, count, apart, ...where, ...from }
  const found = await tx.images.get(id)
  if (found === undefined) refuse('not_found', `Image ${id} is not in the library any more.`)
  return { cpus, memoryGb, count, apart, ...where, ...from, hypervisor: found.hypervisor }
}

/** What an order says of where machines are to be, without what it leaves out. */
export function placeOf(order: { group?: string | undefined; apart?: boolean | undefined }): {
  group?: string
  apart?: boolean
} {
  const { group, apart } = order
  return { ...(group === undefined ? {} : { group }), ...(apart === undefined ? {} : { apart }) }
}

/** What an order says of disks, without what it leaves out. */
export function disksOf(order: {
  image?: string | undefined
  data?: string | undefined
  isolated?: boolean | undefined
}): { image?: string; data?: string; isolated?: boolean } {
  const { image, data, isolated } = order
  return {
    ...(image === undefined ? {} : { image }),
    ...(data === undefined ? {} : { data }),
    ...(isolated === undefined ? {} : { isolated }),
  }
}
