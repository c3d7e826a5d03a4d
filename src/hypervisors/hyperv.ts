import type { Log } from '../base/log.ts'
import { openFarm } from './hyperv/farm.ts'
import { figuresOf } from './hyperv/figures.ts'
import { keeping } from './hyperv/keeping.ts'
import { statusOf } from './hyperv/machine.ts'
import { making, stages } from './hyperv/provision.ts'
import type { HyperVRule } from './hyperv/rule.ts'
import { scripts } from './hyperv/scripts.ts'
import { travel } from './hyperv/travel.ts'
import type { Hypervisor } from './hypervisor.ts'
import { credentialsOf } from './powershell/credentials.ts'
import { power } from './powershell/power.ts'

/**
 * Several Hyper-V hosts as one hypervisor: PowerShell over SSH on each. A machine is known by a line in its notes.
 * @throws Outage `hypervisor_refused` when a file of the login cannot be read.
 */
export async function hyperv(rule: HyperVRule, { log }: { log: Log }): Promise<Hypervisor> {
  const farm = openFarm(rule, await credentialsOf(rule.ssh), log)
  return {
    name: rule.name,
    stages,
    async inventory(signal) {
      signal.throwIfAborted()
      const { hosts, machines } = await farm.survey(signal)
      return { hosts, machines: machines.map(statusOf) }
    },
    async status(ref, signal) {
      signal.throwIfAborted()
      const { found, silent, lastHost } = await farm.sight(ref, signal)
      if (found !== undefined) return statusOf(found)
      const nowhere = { ref, address: null, rdp: null }
      return silent.length === 0
        ? { ...nowhere, host: null, power: 'missing', providerState: 'NotFound' }
        : { ...nowhere, host: lastHost ?? null, power: 'unknown', providerState: 'HostNotResponding' }
    },
    figures: (ref, signal) => figuresOf(farm, ref, signal),
    ...making(farm),
    ...power({
      patience: rule.patience,
      look: farm.look,
      settled: farm.settled,
      act: ({ host, id }, verb, signal, more) => farm.tell(host, scripts[verb], { id, ...more }, signal),
    }),
    ...keeping(farm),
    ...travel(farm),
    close: async () => farm.close(),
  }
}
