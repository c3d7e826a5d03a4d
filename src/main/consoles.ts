import { Outage } from '../base/errors.ts'
import type { ConsoleServices, Place } from '../api/console-channel.ts'
import type { Hypervisor } from '../hypervisors/hypervisor.ts'

/** The consoles of machines, from whoever runs them. */
export function consolesOf(hypervisors: ReadonlyMap<string, Hypervisor>): ConsoleServices['consoles'] {
  function driver({ hypervisor }: Place): Hypervisor {
    const found = hypervisors.get(hypervisor)
    if (found !== undefined) return found
    const detail = `Hypervisor ${hypervisor} is not in this site's file.`
    throw new Outage('hypervisor_unreachable', detail, { transient: false })
  }
  return {
    open: (place, kind, signal) => driver(place).console(place.ref, kind, signal),
    runs: async (place, signal) => (await driver(place).status(place.ref, signal)).power === 'running',
  }
}
