import type { LeaseTraffic } from '../../broker/lease.ts'
import type { Router } from '../../broker/router/listener.ts'
import { noTraffic, type Traffic } from '../../broker/router/relay.ts'
import { instant } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { system } from '../identity/person.ts'
import { noteTraffic } from '../operations/connections.ts'
import type { Operations } from '../operations/perform.ts'

/** How often what passes is added to the leases of connections that go on. */
const paceMillis = 60_000

/** Tells leases what has passed in their connections, each byte once. */
export interface Counting {
  /** What has passed in a connection that is over, and was not told before. */
  rest(connection: number, traffic: Traffic): LeaseTraffic
  /** Tells of all connections that go on. */
  tell(): Promise<void>
  start(): void
  stop(): void
}

export function openCounting(services: {
  router: () => Router | undefined
  operations: Operations
  log: Log
}): Counting {
  const { router, operations, log } = services
  const told = new Map<number, Traffic>()
  let timer: NodeJS.Timeout | undefined

  async function tell(): Promise<void> {
    const sessions = (await router()?.sessions()) ?? []
    const fresh = sessions.filter(({ id, traffic }) => sum(traffic) > sum(told.get(id) ?? noTraffic()))
    if (fresh.length === 0) return
    const passed = fresh.map(({ id, lease, traffic }) => ({ lease, traffic: since(told.get(id), traffic) }))
    for (const { id, traffic } of fresh) told.set(id, traffic)
    await operations.perform(noteTraffic, system('router'), { passed })
  }

  return {
    tell,
    rest(connection, traffic) {
      const known = told.get(connection)
      told.delete(connection)
      return since(known, traffic)
    },
    start() {
      timer = setInterval(() => {
        tell().catch((error: unknown) => log.warn({ error: messageOf(error) }, 'rdp traffic not counted'))
      }, paceMillis).unref()
    },
    stop: () => clearInterval(timer),
  }
}

function sum({ toDesktop, toClient }: Traffic): number {
  return toDesktop + toClient
}

function since(known: Traffic | undefined, traffic: Traffic): LeaseTraffic {
  const at = (millis: number | null) => (millis === null ? null : instant(millis))
  return {
    toDesktop: traffic.toDesktop - (known?.toDesktop ?? 0),
    toClient: traffic.toClient - (known?.toClient ?? 0),
    firstByteAt: at(traffic.firstByteAt),
    lastByteAt: at(traffic.lastByteAt),
    lastInputAt: at(traffic.lastInputAt),
  }
}
