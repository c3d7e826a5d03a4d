import { silentLog } from '../../src/base/log.ts'
import { lowdb, type LowdbOptions } from '../../src/store/lowdb.ts'
import type { Store } from '../../src/store/store.ts'
import type { MemoryDisk } from '../fakes/memory-files.ts'

/** The store on a disk in memory, as the process that runs on it now. */
export function openOn(disk: MemoryDisk, options: Partial<LowdbOptions> = {}): Promise<Store> {
  const services = { files: disk.files(), processes: disk.processes(), log: silentLog }
  return lowdb({ path: '/data', ...services, ...options })
}

/** Counts one up, and gives the count: the plainest transaction there is. */
export function count(store: Store, id = 'a'): Promise<number> {
  return store.transact(async (tx) => {
    const value = ((await tx.counters.get(id))?.value ?? 0) + 1
    await tx.counters.put({ id, value })
    return value
  })
}

export function valueOf(store: Store, id = 'a'): Promise<number | undefined> {
  return store.read(async (tx) => (await tx.counters.get(id))?.value)
}
