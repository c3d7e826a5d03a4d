import type { Said } from '../../broker/router/listener.ts'
import type { Found, Source } from '../../broker/router/sessions.ts'
import { millis } from '../base/clock.ts'
import { refuse } from '../base/errors.ts'
import { system } from '../identity/person.ts'
import type { Operations } from '../operations/perform.ts'
import { openAtTerminal, routeConnection } from '../operations/route-connection.ts'
import type { Store } from '../store/store.ts'

/** A wait never lasts longer than this without another look: what wakes a desktop may happen in another process. */
const lookMillis = 1_000

export interface FindingServices {
  operations: Operations
  store: Store
  /** How long a connection is held while its desktop is being made or wakes. */
  holdMillis: number
}

/**
 * Says whom a connection is for; while its desktop is not ready it is held.
 * @throws Refusal whose code is the reason that is counted: `busy` when it was held for long enough.
 */
export function finder({ operations, store, holdMillis }: FindingServices) {
  const caller = system('router')
  return async (said: Said, { address, localPort }: Source): Promise<Found> => {
    const source = { address, localPort }
    const { routingToken, pcb, mstshash } = said
    const started = performance.now()
    for (;;) {
      const route = await operations.perform(routeConnection, caller, {
        ...{ routingToken, pcb, mstshash, source },
      })
      if (route.kind === 'found') {
        const { lease, target, endsAt, idleMillis } = route
        return { lease, target, endsAt: millis(endsAt), idleMillis }
      }
      const left = holdMillis - (performance.now() - started)
      if (route.kind === 'terminal') {
        const { terminal } = route
        await operations.perform(openAtTerminal, caller, { terminal, source })
      } else if (left > 0) await changed(store, route.lease, Math.min(left, lookMillis))
      else refuse('busy', 'The desktop of this connection is not ready yet.', { about: route.lease })
    }
  }
}

/** Resolves when a lease has changed, or after so long. */
function changed(store: Store, lease: string, limitMillis: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      unsubscribe()
      resolve()
    }
    const timer = setTimeout(done, limitMillis)
    const unsubscribe = store.onCommit((changes) => {
      if (changes.some(({ collection, id }) => collection === 'leases' && id === lease)) done()
    })
  })
}
