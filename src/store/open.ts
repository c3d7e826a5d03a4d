import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { lowdb } from './lowdb.ts'
import { postgres } from './postgres.ts'
import { databaseUrl } from './postgres/address.ts'
import type { Store } from './store.ts'

/** Which store a site has, and where. */
export type StoreChoice =
  | { kind: 'lowdb'; path: string }
  | {
      kind: 'postgres'
      /** The folder for what a process keeps for itself. */
      path: string
      url?: string | undefined
      urlFile?: string | undefined
      connections?: number | undefined
    }

/** Acquires the store: the only list of adapters. Throws what the adapter throws. */
export async function openStore(
  choice: StoreChoice,
  services: { log: Log; clock: Clock; env?: Readonly<Record<string, string | undefined>> },
): Promise<Store> {
  const { log, clock, env = process.env } = services
  if (choice.kind === 'lowdb') return lowdb({ path: choice.path, log, clock })
  const { connections } = choice
  const url = await databaseUrl(choice, env)
  return postgres({ url, log, ...(connections === undefined ? {} : { connections }) })
}
