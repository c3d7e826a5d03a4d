import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'

/** Parts that are open, to be closed in reverse. */
export interface Opened {
  add(close: () => Promise<void>): void
  closeAll(): Promise<void>
}

export function openedParts(log: Log): Opened {
  const parts: (() => Promise<void>)[] = []
  return {
    add: (close) => void parts.push(close),
    closeAll: async () => {
      for (const close of parts.splice(0).reverse()) {
        await close().catch((error: unknown) => log.error({ error: messageOf(error) }, 'part not closed'))
      }
    },
  }
}
