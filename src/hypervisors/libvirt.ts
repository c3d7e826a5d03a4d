import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Hypervisor } from './hypervisor.ts'
import { Outage } from '../base/errors.ts'
import { type Farm, openFarm, silence } from './libvirt/farm.ts'
import { keeping } from './libvirt/keeping.ts'
import { libvirtStages, making } from './libvirt/making.ts'
import { control } from './libvirt/power.ts'
import { following } from './libvirt/following.ts'
import { looking } from './libvirt/looking.ts'
import type { LibvirtRule } from './libvirt/rule.ts'
import { travel } from './libvirt/travel.ts'

export interface LibvirtServices {
  clock: Clock
  log: Log
}

/**
 * Hosts of libvirt with QEMU, each reached over its own connection by `virsh`, and a folder that they share for disks. The
 * programs it runs are `virsh`, `qemu-img` and `xorriso`, and `ssh` for screens of hosts that are reached over it.
 */
export function libvirt(rule: LibvirtRule, services: LibvirtServices): Hypervisor {
  const farm = openFarm(rule, libvirtStages, services.clock)
  return {
    name: rule.name,
    stages: libvirtStages,
    ...queries(farm),
    ...making(farm),
    ...control(farm, libvirtStages.indexOf('setting up access')),
    ...keeping(farm),
    ...travel(farm),
    ...looking(farm),
    ...following(farm, services.log),
    // Every call has a connection of its own, which is over with it.
    close: () => Promise.resolve(),
  }
}

function queries(farm: Farm): Pick<Hypervisor, 'inventory' | 'status'> {
  return {
    async inventory(signal) {
      signal.throwIfAborted()
      return farm.inventory(signal)
    },
    async status(ref, signal) {
      try {
        const found = await farm.find(ref, signal)
        if (found !== undefined) return await farm.status(found, signal)
      } catch (error) {
        if (!(error instanceof Outage) || error.code !== 'host_unreachable') throw error
        return { ...nowhere(ref), ...farm.lastSeen(ref), ...silence }
      }
      farm.forget(ref)
      return { ...nowhere(ref), power: 'missing', providerState: 'missing' }
    },
  }
}

function nowhere(ref: string) {
  return { ref, host: null, address: null, rdp: null }
}
