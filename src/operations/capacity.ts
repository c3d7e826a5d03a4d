import type { Host } from '../machines/host.ts'
import { goalsOf } from '../machines/group.ts'
import { explainRefusal, place } from '../machines/placement.ts'
import { type HostLoad, type PlacementOrder, standing } from '../machines/placement-filters.ts'
import { Refusal } from '../base/errors.ts'
import { list } from '../base/text.ts'
import type { ReadTransaction, Total } from '../store/store.ts'
import type { Site } from './site.ts'

interface Placing {
  tx: ReadTransaction
  site: Site
}

/**
 * What the machines on each host take up, those being made included: a reservation is a machine with a host. One that
 * failed has a host until what there is of it has been removed.
 */
export async function loadOf(tx: ReadTransaction, hosts: readonly Host[]): Promise<Map<string, HostLoad>> {
  const entries = hosts.map(async (host): Promise<[string, HostLoad]> => [
    host.id,
    loadFrom(await tx.machines.total('host', host.id)),
  ])
  return new Map(await Promise.all(entries))
}

function loadFrom({ count, sums }: Total): HostLoad {
  return { machines: count, cpus: sums.cpus ?? 0, memoryGb: sums.memoryGb ?? 0 }
}

/**
 * A host for each of the machines, or none at all.
 * @throws Refusal `no_capacity` with each host and the reasons why it cannot take one.
 */
export async function placeAll({ tx, site }: Placing, order: PlacementOrder): Promise<Host[]> {
  const hosts = await tx.hosts.all()
  // Of hosts that are out of the question nobody needs to know how full they are.
  const open = hosts.filter((host) => standing(host, order).length === 0)
  const outcome = place(order, hosts, await loadOf(tx, open), goalsOf(site.groups))
  if ('placed' in outcome) {
    return outcome.placed
      .map((name) => hosts.find(({ id }) => id === name))
      .filter((host) => host !== undefined)
  }
  throw new Refusal('no_capacity', explanation(outcome.refused, order.host), { hosts: outcome.refused })
}

function explanation(refused: { host: string; reasons: string[] }[], asked: string | undefined): string {
  const pinned = refused.find(({ host }) => host === asked)
  if (pinned !== undefined) return `${pinned.host} cannot take it: ${list(pinned.reasons)}.`
  return refused.length === 0
    ? 'No host is known yet, so nothing can be placed. The operator sees under hosts whether a hypervisor answers.'
    : `No host can take it: ${explainRefusal(refused)}.`
}
