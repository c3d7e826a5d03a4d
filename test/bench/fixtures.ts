import type { Desktop } from '../../broker/desktop.ts'
import type { Lease } from '../../broker/lease.ts'
import type { Machine } from '../../src/machines/machine.ts'
import type { Store, Transaction } from '../../src/store/store.ts'
import { aDesktop, aLease, aMachine, second } from '../store/documents.ts'

/** How many seconds of a month the instants of these documents are spread over. */
const spread = 2_000_000

export function someMachine(index: number): Machine {
  const at = second(index % spread)
  return aMachine({
    id: `web${index}`,
    ref: `vm-${index}`,
    history: [
      { state: 'provisioning', at },
      { state: 'running', at },
    ],
    owner: `user${index % 500}`,
    administrators: [`team${index % 50}`],
    host: `host${index % 100}`,
    address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    budget: `T-${index % 100}`,
    createdAt: at,
    expiresAt: second(index % spread, '12'),
    attentionAt: second(index % spread, '12'),
  })
}

export function someLease(index: number, facts: Partial<Lease> = {}): Lease {
  const at = second(index % spread)
  return aLease({
    id: `L-${index}`,
    history: [
      { state: 'preparing', at },
      { state: 'offered', at },
    ],
    desktop: `desk${index}`,
    user: `user${index}`,
    ticket: `a fingerprint of forty-three characters ${index}`,
    nonce: `one of twenty-two ${index}`,
    attentionAt: at,
    ...facts,
  })
}

/** A desktop of a pool with its machine, and with its lease when somebody has it. */
export async function putDesktop(tx: Transaction, index: number, facts: Partial<Desktop>): Promise<void> {
  const desktop = aDesktop({ id: `desk${index}`, ...facts })
  const { id, pool } = desktop
  await tx.desktops.put(desktop)
  await tx.machines.put({ ...someMachine(index), id, pool, owner: null, attentionAt: null })
  if (desktop.lease === null) return
  await tx.leases.put(someLease(index, { id: desktop.lease, pool, attentionAt: null }))
}

/** Puts many, some in each transaction. */
export async function putAll<T>(
  store: Store,
  items: readonly T[],
  put: (tx: Transaction, item: T) => Promise<void>,
): Promise<void> {
  const batch = 1000
  for (let from = 0; from < items.length; from += batch) {
    await store.transact(async (tx) => {
      for (const item of items.slice(from, from + batch)) await put(tx, item)
    })
  }
}

export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}
