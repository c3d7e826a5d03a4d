import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { system } from '../identity/person.ts'
import { forgetConnections } from '../operations/connections.ts'
import type { Operations } from '../operations/perform.ts'
import type { Store } from '../store/store.ts'
import { usualHoldMillis } from './taking.ts'

/** A process's sign of life. It is counted and not dated, so that clocks of several hosts need not agree. */
export interface Sign {
  /** Of the process. */
  id: string
  count: number
}

export interface PresenceOptions {
  store: Store
  operations: Operations
  log: Log
  /** Who we are among the processes of the site. */
  process: string
  /** We were taken for lost, and what we relay is counted no more: it has to go. */
  forgotten(): Promise<void>
  /** After how long others take over what a process had in hand; what it relayed goes sooner. */
  holdMillis?: number | undefined
}

/** Says that this process lives, and sees to it that what a lost one relayed is forgotten. */
export interface Presence {
  /** Says so from now on, every few seconds. */
  start(): Promise<void>
  /** Says so once and looks at the others. */
  beat(): Promise<void>
  /** Takes leave of the others. Harmless twice. */
  stop(): Promise<void>
}

/** How many signs of life there are before what is in hand would be taken over. */
const beats = 10

/**
 * A process is lost when this many looks in a row find its sign as it was. Looks that fail count for nothing, so an outage
 * of the database makes nobody lost. It takes 9 to 12 seconds when jobs are taken over after 30.
 */
export const mostSilentLooks = 3

export function openPresence(options: PresenceOptions): Presence {
  const { store, operations, log, process, holdMillis = usualHoldMillis } = options
  const others = new Map<string, { count: number; silentLooks: number }>()
  let count = 0
  let timer: NodeJS.Timeout | undefined
  let beating: Promise<void> | undefined
  let isStopped = false

  async function sayHere(): Promise<void> {
    const isForgotten = await store.transact(async (tx) => {
      const known = await tx.processes.get(process)
      await tx.processes.put({ id: process, count: count + 1 })
      return known === undefined && count > 0
    })
    count += 1
    if (!isForgotten) return
    log.warn({ process }, 'other processes took this one for lost')
    await options.forgotten()
  }

  /** Other processes whose sign has not changed for too long. */
  async function lostOnes(): Promise<string[]> {
    const signs = (await store.read((tx) => tx.processes.all())).filter(({ id }) => id !== process)
    for (const id of others.keys()) if (!signs.some((sign) => sign.id === id)) others.delete(id)
    for (const sign of signs) {
      const seen = others.get(sign.id)
      const silentLooks = seen?.count === sign.count ? seen.silentLooks + 1 : 0
      others.set(sign.id, { count: sign.count, silentLooks })
    }
    return [...others].filter(([, { silentLooks }]) => silentLooks >= mostSilentLooks).map(([id]) => id)
  }

  async function beat(): Promise<void> {
    await sayHere()
    for (const lost of await lostOnes()) {
      log.warn({ process: lost }, 'a process is lost')
      await forget(lost)
    }
  }

  /** What was relayed by processes that nobody looks for any more, since they gave no sign before they were lost. */
  async function forgetStrays(): Promise<void> {
    const strays = await store.read(async (tx) => {
      const [relays, signs] = await Promise.all([tx.relays.all(), tx.processes.all()])
      const known = new Set(signs.map(({ id }) => id))
      return new Set(relays.map((relay) => relay.process).filter((id) => !known.has(id)))
    })
    for (const stray of strays) await forget(stray)
  }

  async function forget(lost: string): Promise<void> {
    await operations.perform(forgetConnections, system('router'), { process: lost })
  }

  function beatAgain(): void {
    timer = setTimeout(() => {
      beating = beat()
        .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'no sign of life could be given'))
        .finally(() => {
          if (!isStopped) beatAgain()
        })
    }, holdMillis / beats)
  }

  return {
    beat,
    async start() {
      await beat()
      await forgetStrays()
      beatAgain()
    },
    async stop() {
      if (isStopped) return
      isStopped = true
      clearTimeout(timer)
      await beating
      await forget(process)
    },
  }
}
