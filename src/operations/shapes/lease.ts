import { z } from 'zod'
import { endReasons, type Lease, type LeaseState } from '../../../broker/lease.ts'
import { InstantShape } from './fields.ts'

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
  history: z.array(z.object({ state: leaseStateNames, at: InstantShape, reason: z.string().nullable() })),
})
export type LeaseView = z.infer<typeof LeaseShape>

/** A lease as people and programs see it; never with what its token is recognised by. */
export function leaseView(lease: Lease): LeaseView {
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
    history: lease.history.map(({ state, at, reason }) => ({ state, at, reason: reason ?? null })),
  }
}
