import { namesFor } from '../machines/naming.ts'
import type { ReadTransaction } from '../store/store.ts'
import type { Site } from './site.ts'

/**
 * Free names for the machines of an order. The decision asks about names one by one and the store answers later, so it is
 * decided again with what was learnt until it asks nothing new.
 * @throws Refusal `bad_name`, `name_taken`.
 */
export async function checkedNames(
  { tx, site }: { tx: ReadTransaction; site: Site },
  order: { base: string | null; template: string; count: number },
): Promise<string[]> {
  const known = new Map<string, boolean>()
  for (;;) {
    const asked = new Set<string>()
    const taken = (name: string): boolean => {
      if (!known.has(name)) asked.add(name)
      return known.get(name) ?? false
    }
    const outcome = attempt(() => namesFor(order, site.policies.names, taken))
    if (asked.size === 0) return outcome()
    await Promise.all([...asked].map(async (name) => known.set(name, await isTaken(tx, name, order))))
  }
}

/**
 * A name that somebody chooses is free again once the machine that bore it is gone. One that is made up is not used twice
 * while the old machine is remembered: two machines of one name in a month's books would be taken for one.
 * While there is work left about the old machine the name is not free either: jobs know machines by their names.
 */
async function isTaken(tx: ReadTransaction, name: string, order: { base: string | null }): Promise<boolean> {
  const machine = await tx.machines.get(name)
  if (machine === undefined) return false
  if (order.base === null || !['deleted', 'failed'].includes(machine.state)) return true
  return (await tx.jobs.count('subject', `machine:${name}`)) > 0
}

/** Keeps a result or a refusal until it is known whether it counts. */
function attempt<T>(work: () => T): () => T {
  try {
    const value = work()
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}
