import { Outage } from '../../base/errors.ts'
import type { HostStatus } from '../hypervisor.ts'
import { count, facts } from './answers.ts'
import type { LibvirtRule } from './rule.ts'
import type { Virsh } from './virsh.ts'

const questions = ['nodeinfo', 'version', 'capabilities']

/** What each host is. One that does not answer is what it was when it last did. */
export function hostFacts(rule: LibvirtRule): (at: Virsh, signal: AbortSignal) => Promise<HostStatus> {
  const last = new Map<string, Pick<HostStatus, 'version' | 'cpus' | 'memoryGb' | 'cpu'>>()
  return async (at, signal) => {
    const { name, slots, group } = at.host
    const rest = { name, slots, group, templates: Object.keys(rule.templates) }
    try {
      const known = read((await at.ask(signal, questions)).texts)
      last.set(name, known)
      return { ...rest, ...known, reachable: true }
    } catch (error) {
      if (!(error instanceof Outage) || error.code !== 'host_unreachable') throw error
      const known = last.get(name) ?? { version: 'not known', cpus: 0, memoryGb: 0 }
      return { ...rest, ...known, reachable: false }
    }
  }
}

function read([node, version, capabilities]: readonly (string | null)[]) {
  const known = facts(node ?? '')
  // The first model in it is that of the host's own processors.
  const [, cpu] = /<host>[\s\S]*?<cpu>[\s\S]*?<model>([\w.-]+)<\/model>/.exec(capabilities ?? '') ?? []
  return {
    version: facts(version ?? '').get('Running hypervisor') ?? 'libvirt',
    cpus: count(known, 'CPU(s)'),
    memoryGb: Math.floor(count(known, 'Memory size') / 1024 / 1024),
    ...(cpu === undefined ? {} : { cpu }),
  }
}
