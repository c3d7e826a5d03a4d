import { z } from 'zod'
import { Refusal, refuse } from '../base/errors.ts'
import { localDay } from '../base/period.ts'
import { list } from '../base/text.ts'
import { hasRole } from '../identity/person.ts'
import { type Blank, BlankFields, blankFor } from '../machines/blank.ts'
import { serverGroup } from '../machines/host.ts'
import { mayUseImage } from '../machines/image.ts'
import type { Size } from '../machines/machine.ts'
import type { Template } from '../machines/template.ts'
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
  /** For a template that is an empty disk: how large it is, and what it boots from (`network`, or the name of a disc). */
  ...BlankFields,
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
  diskGb?: number | undefined
  boot?: string | undefined
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
  const blank = await diskFor(context, template, wanted)
  const stem = wanted.image ?? template.name
  const names = await checkedNames(context, { base: wanted.name ?? null, template: stem, count })
  const { quote, holds } = await priceNew(context, {
    ...{ names, budget: budget.code, size, endsAt },
    host: wanted.host ?? null,
    group: wanted.group,
  })
  await checkHolds(context, budget, holds)
  const place = { ...wanted, blank, ...size, count, template: template.name }
  await placeAll(context, await placementOf(context, place))
  const [name, host] = [wanted.name ?? null, wanted.host ?? null]
  const ask = { kind: 'machines', count, name, host, until: endsAt, days: wanted.days ?? null } as const
  return {
    ask: { ...ask, ...placeOf(wanted), ...disksOf({ ...wanted, blank }) },
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

/** Somebody without a key has no way into a Linux server: its accounts have no passwords. */
export async function keyWarnings(
  { tx, caller, site }: Pick<Context, 'tx' | 'caller' | 'site'>,
  { template: name }: { template: string },
  given: number,
): Promise<string[]> {
  const template = site.templates.find((known) => known.name === name)
  const isTold = template?.os === 'linux' && (template.kind ?? 'image') === 'image'
  if (!isTold || given > 0 || !site.hypervisors.some(({ real }) => real)) return []
  const own = (await tx.settings.get(caller.user))?.sshKeys ?? []
  if (own.length > 0) return []
  return [
    'You have given no SSH key, and a Linux server lets you in by that alone. Add one under Settings, SSH keys, before it is made.',
  ]
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
    blank?: Blank | undefined
  },
): Promise<PlacementOrder> {
  const { cpus, memoryGb, count, host, group = serverGroup, image, data, template, blank } = order
  const where = host === undefined || host === null ? { group } : { host }
  const apart = order.apart ?? groupNamed(site, group)?.apart ?? false
  const id = image ?? data
  // An empty disk is made of nothing, but the disc has to be there.
  const from = image === undefined && blank === undefined ? { template } : withDisc(site, blank?.disc)
  if (id === undefined) return { cpus, memoryGb, count, apart, ...where, ...from }
  const found = await tx.images.get(id)
  if (found === undefined) refuse('not_found', `Image ${id} is not in the library any more.`)
  return { cpus, memoryGb, count, apart, ...where, ...from, hypervisor: found.hypervisor }
}

function withDisc({ hypervisors }: Site, disc: string | null | undefined): { hypervisor?: string } {
  const has = hypervisors.find(({ discs }) => discs.includes(disc ?? ''))
  return has === undefined ? {} : { hypervisor: has.name }
}

/** The empty disk that is asked for, if it is one. @throws Refusal as `blankFor`, or for a disk that is to be named. */
async function diskFor(context: Context, template: Template, wanted: Wanted): Promise<Blank | undefined> {
  if (template.kind === 'import' && wanted.image === undefined && wanted.data === undefined) {
    const { items } = await context.tx.images.page({ limit: 200 })
    const names = items.filter((image) => image.state !== 'failed' && mayUseImage(context.caller, image))
    const suggestions = names.map(({ id }) => id)
    const there =
      suggestions.length === 0
        ? 'You have none yet: take a file in first.'
        : `Say one of ${list(suggestions)} as the template.`
    throw new Refusal('unknown_template', `${template.name} is made from a disk of the library. ${there}`, {
      suggestions,
    })
  }
  // What is made from an image has its disk, whatever the image was made from.
  const rule = wanted.image === undefined ? template : { ...template, kind: 'image' as const }
  return blankFor(
    rule,
    wanted,
    context.site.hypervisors.flatMap(({ discs }) => discs),
  )
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
  blank?: Blank | undefined
}): { image?: string; data?: string; isolated?: boolean; blank?: Blank } {
  const { image, data, isolated, blank } = order
  return {
    ...(image === undefined ? {} : { image }),
    ...(data === undefined ? {} : { data }),
    ...(isolated === undefined ? {} : { isolated }),
    ...(blank === undefined ? {} : { blank }),
  }
}
