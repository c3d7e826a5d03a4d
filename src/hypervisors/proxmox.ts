import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf, Outage } from '../base/errors.ts'
import type { Hypervisor } from './hypervisor.ts'
import { changes } from './proxmox/changes.ts'
import { changing } from './proxmox/changing.ts'
import { proxmoxClient } from './proxmox/client.ts'
import { cluster } from './proxmox/cluster.ts'
import { consoles } from './proxmox/console.ts'
import { libraryVerbs } from './proxmox/library.ts'
import { looking } from './proxmox/looking.ts'
import { making, stages } from './proxmox/making.ts'
import { powerVerbs, switches as switchesOf } from './proxmox/power.ts'
import type { ProxmoxRule } from './proxmox/rule.ts'
import { snapshotVerbs } from './proxmox/snapshots.ts'
import { addresses as addressesOf } from './proxmox/state.ts'
import type { Sleep } from './proxmox/task.ts'
import { travel } from './proxmox/travel.ts'

export interface ProxmoxServices {
  /** Waits; rejects once the signal is aborted. Real timers unless a test hands in something quicker. */
  sleep?: Sleep | undefined
}

/**
 * A Proxmox VE node or cluster, by its REST API (8.4 or later) and an API token. Nothing is asked before it is needed.
 * @throws Outage `hypervisor_refused` when a file that the rule names cannot be read.
 */
export async function proxmox(rule: ProxmoxRule, services: ProxmoxServices): Promise<Hypervisor> {
  const { name, urls, token, fingerprints, caFile } = rule
  const secret = (await textOf(rule.secretFile)).trim()
  const ca = caFile === undefined ? undefined : await textOf(caFile)
  const client = proxmoxClient({ name, urls, token, secret, trust: { ca, fingerprints } })
  const sleep = patient(services.sleep ?? realSleep)
  const world = cluster({ rule, client, sleep })
  const switches = switchesOf(world)
  const addresses = addressesOf(world)
  const parts = { world, switches, addresses }
  return {
    name,
    stages,
    ...looking(parts),
    ...making(parts),
    ...powerVerbs(world, switches),
    ...changing(parts),
    ...snapshotVerbs(world, switches),
    ...libraryVerbs(world),
    ...travel(world, switches),
    ...consoles(world),
    changes: (signal) => changes(world, signal),
    close: () => client.close(),
  }
}

async function realSleep(millis: number, signal: AbortSignal): Promise<void> {
  await pause(millis, undefined, { signal })
}

/** Ends with the reason of its signal, whatever the timer says. */
function patient(sleep: Sleep): Sleep {
  return async (millis, signal) => {
    await sleep(millis, signal).catch((error: unknown) => {
      signal.throwIfAborted()
      throw error
    })
    signal.throwIfAborted()
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const detail = `${path} cannot be read: ${messageOf(cause)}`
    throw new Outage('hypervisor_refused', detail, { transient: false, cause })
  }
}
