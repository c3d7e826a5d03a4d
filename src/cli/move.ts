import { resolve } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { Outage } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import { moveSite } from '../store/move.ts'
import { openStore, type StoreChoice } from '../store/open.ts'
import { urlVariable } from '../store/postgres/address.ts'

/** How a store is named on the command line. */
export const storeWords = `lowdb:FOLDER, postgres://…, or postgres for what ${urlVariable} says`

/** Copies a site from one store to another, and says what was copied. */
export async function moveStores(from: string, to: string): Promise<string> {
  const [source, target] = [choiceOf(from), choiceOf(to)]
  const services = { log: silentLog, clock: systemClock }
  const old = await openStore(source, services)
  try {
    const fresh = await openStore(target, services)
    try {
      const moved = await moveSite(old, fresh)
      const lines = moved.map(
        ({ name, count, checksum }) => `${name.padEnd(12)} ${String(count).padStart(8)}  ${checksum}`,
      )
      return [...lines, '', 'Everything was copied, read again on both sides, and is the same.', ''].join(
        '\n',
      )
    } finally {
      await fresh.close()
    }
  } finally {
    await old.close()
  }
}

/** A URL on the command line can be seen by everybody on the machine: it is better without a password. */
function choiceOf(words: string): StoreChoice {
  const [, folder] = /^lowdb:(.+)$/s.exec(words) ?? []
  if (folder !== undefined) return { kind: 'lowdb', path: resolve(folder) }
  if (words === 'postgres') return { kind: 'postgres', path: resolve() }
  if (/^postgres(ql)?:\/\//.test(words)) return { kind: 'postgres', path: resolve(), url: words }
  throw new Outage('store_unfit', `A store is named as ${storeWords}.`, { transient: false })
}
