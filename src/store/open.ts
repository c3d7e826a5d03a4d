import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { lowdb } from './lowdb.ts'
import type { Store } from './store.ts'

/** Which store a site has, and where. */
export interface StoreChoice {
  kind: 'lowdb'
  path: string
}

/** Acquires the store: the only list of adapters. Throws what the adapter throws. */
export async function openStore(choice: StoreChoice, services: { log: Log; clock: Clock }): Promise<Store> {
  return { lowdb }[choice.kind]({ path: choice.path, ...services })
}
