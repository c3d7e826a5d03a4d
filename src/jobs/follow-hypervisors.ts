import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../base/errors.ts'
import { backoffMillis } from '../base/retry.ts'
import type { Hypervisor } from '../hypervisors/hypervisor.ts'
import { observeMachine } from './observe-hypervisors.ts'
import type { Tools } from './trade.ts'

/** A machine that changes does so several times in a row: it is looked at once it has had a moment. */
const gatherMillis = 300
const retry = { firstMillis: 1_000, maxMillis: 60_000, spread: 0 }

/**
 * Looks at a machine as soon as its hypervisor hints that it has changed, so that one that dies shows it within seconds.
 * What is missed so is found by the look at everything.
 * @returns how to stop following; resolves once nothing is under way any more.
 */
export function followHypervisors(tools: Tools): () => Promise<void> {
  const stop = new AbortController()
  const following = [...tools.hypervisors.values()].map((hypervisor) =>
    followOne(tools, hypervisor, stop.signal),
  )
  return async () => {
    stop.abort()
    await Promise.all(following)
  }
}

async function followOne(tools: Tools, hypervisor: Hypervisor, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      await hear(tools, hypervisor, signal)
      return
    } catch (error) {
      if (isAborted(signal)) return
      const facts = { hypervisor: hypervisor.name, error: messageOf(error) }
      tools.log.warn(facts, 'hypervisor tells no changes for now')
      await pause(backoffMillis(attempt, retry), undefined, { signal }).catch(() => undefined)
    }
  }
}

// It is aborted while it is waited for, which a reader of the code above would not see.
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

async function hear(tools: Tools, hypervisor: Hypervisor, signal: AbortSignal): Promise<void> {
  const hinted = new Set<string>()
  let looking: Promise<void> | undefined
  const look = async (): Promise<void> => {
    await pause(gatherMillis, undefined, { signal })
    while (hinted.size > 0) {
      const refs = [...hinted]
      hinted.clear()
      for (const ref of refs) await lookAt(tools, hypervisor, ref)
    }
    looking = undefined
  }
  try {
    for await (const ref of hypervisor.changes(signal)) {
      hinted.add(ref)
      looking ??= look().catch((error: unknown) => {
        if (!signal.aborted) tools.log.warn({ error: messageOf(error) }, 'hint about a machine not followed')
      })
    }
  } finally {
    await looking
  }
}

async function lookAt(tools: Tools, hypervisor: Hypervisor, ref: string): Promise<void> {
  try {
    await observeMachine(tools, hypervisor, ref)
  } catch (error) {
    tools.log.debug({ hypervisor: hypervisor.name, ref, error: messageOf(error) }, 'machine not looked at')
  }
}
