import { z } from 'zod'
import { type Hold, holdsFor, gathered } from '../../pricing/commitment.ts'
import { chargedTerm, type Order as PricedOrder, type Quote, quote, together } from '../../pricing/quote.ts'
import type { Promised } from '../../pricing/promised.ts'
import { freeFromDay } from '../../pricing/tariff.ts'
import type { Instant } from '../base/clock.ts'
import { addDuration } from '../base/duration.ts'
import { Refusal, refuse } from '../base/errors.ts'
import { type LocalDay, localDay } from '../base/period.ts'
import { list } from '../base/text.ts'
import { termAllowed } from '../machines/expiry.ts'
import type { Size } from '../machines/machine.ts'
import { sizeFor } from '../machines/sizing.ts'
import type { Template } from '../machines/template.ts'
import type { ReadTransaction } from '../store/store.ts'
import { periodicOf } from './accounts.ts'
import { priceClassFor, promisesFor, tariffsFor } from './promising.ts'
import { groupNamed, policyFor } from './groups.ts'
import { EndField, endOf, text } from './shapes/fields.ts'
import type { Site } from './site.ts'

/** What is asked for in a quote and in a request: the same fields, the same meaning. */
export const OrderFields = {
  template: z.string().min(1).max(40),
  cpus: z.coerce.number().int().min(1).max(1024).optional(),
  memoryGb: z.coerce.number().int().min(1).max(65_536).optional(),
  count: z.coerce.number().int().min(1).max(50).default(1),
  until: z.union([z.literal('never'), EndField]).optional(),
  days: z.coerce.number().int().min(1).max(36_500).optional(),
  /** The group of hosts that they are to be on; the one for servers where nothing is said. */
  group: text(40).optional(),
}
type OrderInput = z.output<z.ZodObject<typeof OrderFields>>

export interface Order {
  template: Template
  size: Size
  count: number
  /** Null is never. */
  endsAt: Instant | null
}

/** Completes and checks what was asked for. @throws Refusal about the first thing wrong. */
export function orderOf(input: OrderInput, at: { now: Instant; site: Site }): Order {
  const template = templateNamed(at.site, input.template)
  const size = sizeFor(template, {
    ...(input.cpus === undefined ? {} : { cpus: input.cpus }),
    ...(input.memoryGb === undefined ? {} : { memoryGb: input.memoryGb }),
  })
  return { template, size, count: input.count, endsAt: endOfTerm(input, at) }
}

/** The price of new machines of one size and class. Those without an end are quoted for the longest term. */
export function priceOf(
  order: Pick<Order, 'size' | 'count' | 'endsAt'> & { priceClass: string },
  at: { now: Instant; site: Site },
): Quote {
  const { timezone } = at.site
  const createdDay = localDay(at.now, timezone)
  const to = localDay(horizon(order.endsAt, at), timezone)
  const term = chargedTerm({ createdDay, from: createdDay, to })
  const { size, count, priceClass } = order
  return quote({ size, count, createdDay, ...term }, tariffsFor(term, priceClass, at))
}

/** What new machines cost, with what each is to be paid for and what has to be held for all of them. */
export interface NewMachines {
  quote: Quote
  holds: Hold[]
  paidTo: LocalDay
  /** By name, the day that free days are counted from. */
  freeFrom: ReadonlyMap<string, LocalDay>
  /** The days of each whose prices are promised. */
  promised: Promised[]
  /** The class of machines whose tariffs they go by. */
  priceClass: string
}

/**
 * Prices new machines by their names: one that follows another of its name on the same budget may have used up its free
 * days already.
 */
export async function priceNew(
  { tx, now, site }: { tx: ReadTransaction; now: Instant; site: Site },
  order: {
    names: readonly string[]
    budget: string
    size: Size
    endsAt: Instant | null
    /** The host that was chosen for them, if any: its group is the class that prices go by. */
    host: string | null
    /** The group of hosts that was asked for, if any. */
    group?: string | undefined
  },
): Promise<NewMachines> {
  const { names, budget, size, endsAt } = order
  const priceClass = await priceClassFor(tx, order)
  const createdDay = localDay(now, site.timezone)
  const to = localDay(horizon(endsAt, { now, site }), site.timezone)
  const term = chargedTerm({ createdDay, from: createdDay, to })
  const promised = promisesFor(term, { now, site })
  const tariffs = tariffsFor(term, priceClass, { now, site })
  const freeFrom = new Map<string, LocalDay>()
  for (const name of names) {
    const earlier = await tx.commitments.get(name)
    const { endedOn = null } = earlier ?? {}
    const isSame = earlier?.budget === budget && endedOn !== null
    freeFrom.set(
      name,
      freeFromDay(createdDay, isSame ? { freeFrom: earlier.freeFrom, endedOn } : undefined, tariffs),
    )
  }
  const orders = [...new Set(freeFrom.values())].map((first): PricedOrder => {
    const count = names.filter((name) => freeFrom.get(name) === first).length
    return { size, count, createdDay, freeFrom: first, ...term }
  })
  const holds = orders.flatMap((each) => holdsFor(each, periodicOf(site, budget), tariffs))
  return {
    quote: together(orders.map((each) => quote(each, tariffs))),
    holds: gathered(holds),
    paidTo: term.to,
    freeFrom,
    promised,
    priceClass,
  }
}

/** The end up to which money is held: for a machine without one, the longest term from now. */
export function horizon(end: Instant | null, { now, site }: { now: Instant; site: Site }): Instant {
  return end ?? addDuration(now, site.policies.machines.maxTerm, site.timezone)
}

/** The end that is asked for, checked against the site's longest term. */
export function endOfTerm(
  wish: { until?: string | undefined; days?: number | undefined; group?: string | undefined },
  { now, site }: { now: Instant; site: Site },
): Instant | null {
  const zone = site.timezone
  if (wish.until !== undefined && wish.days !== undefined) {
    refuse('bad_term', 'Say either until when or for how many days, not both.')
  }
  const term = groupNamed(site, wish.group)?.term
  const isSaid = wish.until !== undefined || wish.days !== undefined
  const end =
    isSaid || term === undefined
      ? endOf(wish, { from: now, today: localDay(now, zone), zone })
      : addDuration(now, term, zone)
  const until = wish.until === 'never' ? null : end
  if (until === undefined) refuse('bad_term', 'Say for how long: days, or until when.')
  termAllowed(until, policyFor(site, wish.group), now, zone)
  return until
}

export function templateNamed(site: Site, name: string): Template {
  const template = site.templates.find((known) => known.name === name)
  if (template !== undefined) return template
  const names = site.templates.map((known) => known.name)
  throw new Refusal('unknown_template', `There is no template ${name}. There are ${list(names)}.`, {
    suggestions: names,
  })
}
