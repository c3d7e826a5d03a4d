import type { Machine } from '../../src/machines/machine.ts'
import { newMachine } from '../../src/machines/machine.ts'
import { MachinePolicy } from '../../src/machines/expiry.ts'
import type { Host } from '../../src/machines/host.ts'

export const zone = 'Europe/Zurich'

/** A running server, made on 2026-01-01 and ending 30 days later. */
export function aMachine(differences: Partial<Machine> = {}): Machine {
  const template = { name: 'slc5', os: 'linux' } as const
  const created = newMachine({ name: 'webafs20', ref: 'vm-1', at: '2026-01-01T12:00:00.000Z', template })
  return {
    ...created,
    state: 'running',
    history: [...created.history, { state: 'running', at: '2026-01-01T12:05:00.000Z' }],
    owner: 'alice',
    budget: 'T-1042',
    request: 'R-12',
    expiresAt: '2026-01-31T12:00:00.000Z',
    ...differences,
  }
}

export function aPolicy(differences: Partial<Record<keyof MachinePolicy, unknown>> = {}): MachinePolicy {
  return MachinePolicy.parse({
    maxTerm: 'P365D',
    extensionsWithoutApproval: 2,
    reminders: ['P14D', 'P7D', 'P3D', 'P1D'],
    grace: 'P7D',
    atEnd: 'save',
    ...differences,
  })
}

export function aHost(differences: Partial<Host> = {}): Host {
  return {
    id: 'cernwod01',
    hypervisor: 'wod',
    version: '1',
    cpus: 2,
    memoryGb: 8,
    slots: 3,
    group: 'central',
    overcommit: { cpus: 4, memory: 1 },
    state: 'up',
    seenAt: '2026-01-01T00:00:00.000Z',
    ...differences,
  }
}

/** What a function refuses with, or nothing. */
export function refusalOf(work: () => unknown): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}
