import type { Lease } from '../../broker/lease.ts'
import { type Desk, redrawCards } from '../jobs/outbox.ts'
import { cancel, type Request } from '../requests/request.ts'
import type { ReadTransaction } from '../store/store.ts'

/** The request for more time on a session, while it waits for its decision. */
export async function pendingFor(tx: ReadTransaction, { asked }: Lease): Promise<Request | undefined> {
  const request = asked === undefined ? undefined : await tx.requests.get(asked)
  return request?.state === 'pending' ? request : undefined
}

export function withoutAsking(lease: Lease): Lease {
  const { asked: _, ...rest } = lease
  return rest
}

/** Nobody has agreed to more time: the session says so, and may be asked for anew. */
export async function forgetAsking(desk: Desk, { id, ask }: Request): Promise<void> {
  if (ask.kind !== 'lease') return
  const lease = await desk.tx.leases.get(ask.lease)
  if (lease?.asked !== id) return
  await desk.tx.leases.put(withoutAsking(lease))
  await redrawCards(desk, `lease:${lease.id}`)
}

/** A session has ended: nobody is to decide any more whether it lasts longer. */
export async function withdrawAsking(desk: Desk, lease: Lease): Promise<void> {
  const request = await pendingFor(desk.tx, lease)
  if (request === undefined) return
  const reason = 'the session has ended'
  const decision = { by: 'jackdaw', at: desk.now, verdict: 'cancelled', reason, via: 'system' } as const
  await desk.tx.requests.put(cancel(request, decision))
  await redrawCards(desk, `request:${request.id}`)
}
