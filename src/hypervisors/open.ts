import { join } from 'node:path'
import { z } from 'zod'
import { assert } from '../base/errors.ts'
import { hyperv } from './hyperv.ts'
import { HyperVRule } from './hyperv/rule.ts'
import type { Hypervisor } from './hypervisor.ts'
import { libvirt } from './libvirt.ts'
import { LibvirtRule } from './libvirt/rule.ts'
import { proxmox } from './proxmox.ts'
import { ProxmoxRule } from './proxmox/rule.ts'
import { scvmm } from './scvmm.ts'
import { ScvmmRule } from './scvmm/rule.ts'
import type { SimulatorServices } from './simulated-world.ts'
import { SimulatorRule } from './simulator-rule.ts'
import { remoteSimulator } from './remote-simulator.ts'
import { type Faults, simulator } from './simulator.ts'

/** A hypervisor as the site's file describes it. */
export const HypervisorRule = z.discriminatedUnion('kind', [
  SimulatorRule,
  LibvirtRule,
  ProxmoxRule,
  HyperVRule,
  ScvmmRule,
])
export type HypervisorRule = z.infer<typeof HypervisorRule>

export interface HypervisorServices extends SimulatorServices {
  /** The folder of the site's data; drivers that keep anything keep it in `hypervisors/` there. */
  dataPath: string
}

/**
 * Opens every hypervisor of the site, by name. All or none: when one cannot be opened, the others are closed again.
 * This is the only list of adapters.
 */
export async function openHypervisors(
  rules: readonly HypervisorRule[],
  services: HypervisorServices,
): Promise<Map<string, Hypervisor>> {
  const opened = new Map<string, Hypervisor>()
  try {
    for (const rule of rules) {
      assert(!opened.has(rule.name), `there is one hypervisor of the name ${rule.name}`)
      opened.set(rule.name, await openHypervisor(rule, services))
    }
    return opened
  } catch (error) {
    await Promise.all(Array.from(opened.values(), (hypervisor) => hypervisor.close()))
    throw error
  }
}

async function openHypervisor(rule: HypervisorRule, services: HypervisorServices): Promise<Hypervisor> {
  switch (rule.kind) {
    case 'simulator': {
      const { name, server } = rule
      return server === undefined ? openSimulator(rule, services) : remoteSimulator({ name, server })
    }
    case 'libvirt':
      return libvirt(rule, services)
    case 'proxmox':
      return proxmox(rule, services)
    case 'hyperv':
      return hyperv(rule, services)
    case 'scvmm':
      return scvmm(rule)
  }
}

/** A simulated farm in this process, with its memory in the site's folder. */
export function openSimulator(
  rule: SimulatorRule,
  services: HypervisorServices,
): Promise<Hypervisor & Faults> {
  const statePath = join(services.dataPath, 'hypervisors', `${rule.name}.jsonl`)
  return simulator({ ...rule, statePath }, services)
}
