import { z } from 'zod'
import { endReasons, type Lease, type LeaseState } from '../../../broker/lease.ts'
import { sumOf } from '../../../pricing/charge.ts'
import { heldMilli } from '../../../pricing/commitment.ts'
import { formatMoney } from '../../../pricing/money.ts'
import { tariffOn } from '../../../pricing/tariff.ts'
import type { Instant } from '../../base/clock.ts'
import { addDays, localDay } from '../../base/period.ts'
import type { ReadTransaction } from '../../store/store.ts'
import { pendingFor } from '../lease-asked.ts'
import { leaseRowsDue } from '../lease-charging.ts'
import { tariffsOf } from '../promising.ts'
import type { Site } from '../site.ts'
import { troubleOf } from '../waiting.ts'
import { InstantShape, MoneyShape } from './fields.ts'

export const leaseStateNames = z.enum(['preparing', 'offered', 'connected', 'disconnected', 'ended'])

export const LeaseShape = z.object({
  id: z.string(),
  pool: z.string(),
  desktop: z.string().nullable(),
  user: z.string(),
  terminal: z
    .object({
      name: z.string().nullable(),
      mac: z.string().nullable(),
      kind: z.string().nullable(),
      address: z.string().nullable(),
    })
    .nullable(),
  state: leaseStateNames satisfies z.ZodType<LeaseState>,
  createdAt: InstantShape,
  offeredAt: InstantShape.nullable(),
  connectedAt: InstantShape.nullable(),
  endsAt: InstantShape,
  endedAt: InstantShape.nullable(),
  endReason: z.enum(endReasons).nullable(),
  /** What has passed in its connections, in bytes, and when; null before there was any. */
  traffic: z
    .object({
      toDesktop: z.number(),
      toClient: z.number(),
      firstByteAt: InstantShape.nullable(),
      lastByteAt: InstantShape.nullable(),
      lastInputAt: InstantShape.nullable(),
    })
    .nullable(),
  history: z.array(z.object({ state: leaseStateNames, at: InstantShape, reason: z.string().nullable() })),
  /** What keeps its person from the desktop; absent where nothing does. */
  trouble: z.object({ code: z.enum(['desktop_unreachable', 'slow']), text: z.string() }).optional(),
  /** Set while somebody is asked whether it may last longer than its pool allows. */
  asked: z.object({ request: z.string(), until: InstantShape }).optional(),
  /** What it costs; absent where it costs nobody anything. */
  cost: z
    .object({
      budget: z.string(),
      currency: z.string(),
      /** An hour that is begun, by the prices of today. */
      perHour: MoneyShape,
      toDate: MoneyShape,
      /** What is held for it until its end. */
      held: MoneyShape,
    })
    .optional(),
})
export type LeaseView = z.infer<typeof LeaseShape>

/** A lease as people and programs see it; never with what its token is recognised by. */
export async function leaseView(
  lease: Lease,
  context: { tx: ReadTransaction; now: Instant; site: Site },
): Promise<LeaseView> {
  const cost = await costOf(lease, context)
  const asked = await askedOf(lease, context.tx)
  const trouble = await troubleOf(context.tx, lease, context.now)
  return {
    id: lease.id,
    pool: lease.pool,
    desktop: lease.desktop,
    user: lease.user,
    terminal: lease.terminal === null ? null : { ...lease.terminal },
    state: lease.state,
    createdAt: lease.createdAt,
    offeredAt: lease.offeredAt,
    connectedAt: lease.connectedAt,
    endsAt: lease.endsAt,
    endedAt: lease.endedAt,
    endReason: lease.endReason,
    traffic: lease.traffic === undefined ? null : { ...lease.traffic },
    history: lease.history.map(({ state, at, reason }) => ({ state, at, reason: reason ?? null })),
    ...(trouble === undefined ? {} : { trouble }),
    ...(asked === undefined ? {} : { asked }),
    ...(cost === undefined ? {} : { cost }),
  }
}

async function askedOf(lease: Lease, tx: ReadTransaction): Promise<LeaseView['asked']> {
  const request = await pendingFor(tx, lease)
  return request?.ask.kind === 'lease' ? { request: request.id, until: request.ask.until } : undefined
}

async function costOf(
  lease: Lease,
  { tx, now, site }: { tx: ReadTransaction; now: Instant; site: Site },
): Promise<LeaseView['cost']> {
  const commitment = await tx.commitments.get(lease.id)
  if (commitment === undefined) return undefined
  const today = localDay(now, site.timezone)
  const perHour = tariffOn(today, tariffsOf(site, commitment)).perLeaseHourMilli ?? 0
  const due = leaseRowsDue(lease, commitment, site, { before: addDays(today, 1), until: now })
  const dueMilli = sumOf(due)
  return {
    budget: commitment.budget,
    currency: site.currency,
    perHour: formatMoney(perHour),
    toDate: formatMoney(commitment.spentMilli + dueMilli),
    held: formatMoney(Math.max(0, heldMilli(commitment) - dueMilli)),
  }
}
