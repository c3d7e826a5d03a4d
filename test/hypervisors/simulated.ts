import type { Clock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import type { Hypervisor, MachineSpec } from '../../src/hypervisors/hypervisor.ts'
import { SimulatorRule } from '../../src/hypervisors/simulator-rule.ts'
import type { SimulatorServices } from '../../src/hypervisors/simulated-world.ts'
import { type Faults, simulator } from '../../src/hypervisors/simulator.ts'

export type Simulated = Hypervisor & Faults

export const never = new AbortController().signal

const stopped: Clock = { now: () => '2026-01-01T00:00:00.000Z' }

export function aRule(changes: object = {}): SimulatorRule {
  const hosts = [
    { name: 'big', cpus: 16, memoryGb: 64, slots: 40 },
    { name: 'small', cpus: 2, memoryGb: 8, slots: 3 },
  ]
  return SimulatorRule.parse({ name: 'wod', kind: 'simulator', hosts, ...changes })
}

/** A simulator whose stages take no time, unless the test hands in a sleep of its own. */
export function aSimulator(
  options: { rule?: object; statePath?: string; services?: Partial<SimulatorServices> } = {},
): Promise<Simulated> {
  const { rule, statePath, services } = options
  return simulator(
    { ...aRule(rule), statePath },
    { clock: stopped, log: silentLog, sleep: () => Promise.resolve(), ...services },
  )
}

export function aSpec(changes: Partial<MachineSpec> = {}): MachineSpec {
  const size = { cpus: 1, memoryGb: 1 }
  const template = { template: 'desktop', os: 'windows' as const }
  return {
    ref: 'm-1',
    name: 'desktop-1',
    host: 'big',
    administrators: [{ user: 'alice', keys: [] }],
    mac: '02:00:00:00:00:01',
    ...template,
    ...size,
    ...changes,
  }
}

export async function provision(hypervisor: Hypervisor, spec: MachineSpec): Promise<void> {
  for (const stage of hypervisor.stages) await hypervisor.provision(spec, stage, never)
}
