import { refuse } from '../base/errors.ts'
import { list } from '../base/text.ts'
import { type Caller, hasRole, isNamed } from '../identity/person.ts'
import type { MachinePolicy } from '../machines/expiry.ts'
import { type GroupRule, policyOn } from '../machines/group.ts'
import { serverGroup } from '../machines/host.ts'
import type { Machine } from '../machines/machine.ts'
import type { ReadTransaction } from '../store/store.ts'
import { priceClassOn } from './promising.ts'
import type { Site } from './site.ts'

/** The groups of hosts that somebody may ask for machines on, the one for servers first. */
export function groupsFor(caller: Caller, site: Site): string[] {
  const others = site.groups.filter(({ name }) => name !== serverGroup)
  return [serverGroup, ...others.filter((group) => isOpenTo(caller, group)).map(({ name }) => name)]
}

function isOpenTo(caller: Caller, { members }: GroupRule): boolean {
  return hasRole(caller, 'operator') || isNamed(caller, members)
}

/** @throws Refusal `forbidden` for a group of hosts that is not for the caller. */
export function checkGroup(caller: Caller, site: Site, group: string | undefined): void {
  const open = groupsFor(caller, site)
  if (group === undefined || open.includes(group) || hasRole(caller, 'operator')) return
  refuse('forbidden', `You may not ask for machines on ${group}. You may on ${list(open)}.`, {
    errors: [{ path: 'group', message: `one of ${list(open, 'or')}` }],
  })
}

export function groupNamed(site: Site, name: string | undefined): GroupRule | undefined {
  return site.groups.find((group) => group.name === (name ?? serverGroup))
}

/** What holds for the ends of machines that are asked for on a group of hosts. */
export function policyFor(site: Site, group: string | undefined): MachinePolicy {
  return policyOn(groupNamed(site, group), site.policies.machines)
}

/** What holds for the end of a machine, by the group of the host that it is on. */
export async function policyOf(
  { tx, site }: { tx: ReadTransaction; site: Site },
  machine: Machine,
): Promise<MachinePolicy> {
  return policyFor(site, await priceClassOn(tx, machine.host))
}
