import { addressOf, refOf } from './hyperv/machine.ts'
import type { HostStatus, Hypervisor, MachineStatus } from './hypervisor.ts'
import { credentialsOf } from './powershell/credentials.ts'
import { gigabyte, power } from './powershell/power.ts'
import { type Kept, openCentre } from './scvmm/centre.ts'
import { checkpoints, library } from './scvmm/keeping.ts'
import { act, making, stages } from './scvmm/provision.ts'
import type { ScvmmRule } from './scvmm/rule.ts'
import { travel } from './scvmm/travel.ts'

/**
 * The hosts of a System Center Virtual Machine Manager: its PowerShell over SSH. A machine is known by a line in its
 * description. @throws Outage `hypervisor_refused` when a file of the login cannot be read.
 */
export async function scvmm(rule: ScvmmRule): Promise<Hypervisor> {
  const centre = openCentre(rule, await credentialsOf(rule.ssh))
  return {
    name: rule.name,
    stages,
    async inventory(signal) {
      signal.throwIfAborted()
      const { hosts, machines } = await centre.survey(signal)
      const known = new Map(hosts.map((host) => [host.name.toLowerCase(), host]))
      return {
        hosts: rule.hosts.map((host): HostStatus => {
          const { name, slots, group } = host
          const found = known.get(centre.computer(name))
          return {
            ...{ name, slots, group, templates: Object.keys(rule.templates) },
            version: found === undefined ? 'unknown' : `Hyper-V ${found.version}`,
            cpus: found?.cpus ?? 0,
            memoryGb: Math.floor((found?.memory ?? 0) / gigabyte),
            reachable: found?.communication === 'Responding',
          }
        }),
        machines: machines.map(statusOf),
      }
    },
    async status(ref, signal) {
      signal.throwIfAborted()
      const found = await centre.sight(ref, signal)
      if (found !== undefined) return statusOf(found)
      return { ref, power: 'missing', host: null, address: null, rdp: null, providerState: 'NotFound' }
    },
    ...making(centre),
    ...power({
      patience: rule.patience,
      look: centre.look,
      settled: centre.settled,
      act: (machine, verb, signal, size) => act(centre, machine, verb, signal, size),
    }),
    ...checkpoints(centre),
    ...library(centre),
    ...travel(centre),
    close: async () => centre.close(),
  }
}

function statusOf(machine: Kept): MachineStatus {
  const { power: now, cpus, memory, name, host, state, health } = machine
  const address = now === 'running' ? addressOf(machine.addresses) : null
  const hasRdp = machine.note?.os === 'windows' && address !== null
  return {
    ...{ ref: refOf(machine), power: now, host, address, name, size: { cpus, memoryGb: memory / gigabyte } },
    rdp: hasRdp ? { host: address, port: 3389 } : null,
    // What it does and how VMM finds it are two words; the second is worth showing where it is another.
    providerState: health === state ? state : `${state} (${health})`,
  }
}
