import type { Instant } from '../base/clock.ts'
import { hasControl } from '../base/text.ts'
import { type Machine, type MachineState, newMachine, type Size } from './machine.ts'

/** A machine at a hypervisor that was not made from here. */
export interface Found {
  ref: string
  /** What the hypervisor calls it. */
  called: string
  hypervisor: string
  host: string
  state: MachineState
  address: string | null
  rdp: Machine['rdp']
  size: Size
  providerState: string
}

/** A machine to be claimed: nobody owns it, nobody pays for it, and it never ends. */
export function foundMachine(found: Found, name: string, at: Instant): Machine {
  const { ref, called, hypervisor, host, state, address, rdp, size, providerState } = found
  const words = called === name || hasControl(called) ? '' : `, where it is called ${called.slice(0, 100)}`
  return {
    ...newMachine({ name, ref, at, template: { name: 'import', os: 'other' } }),
    ...{ hypervisor, host, state, address, rdp, providerState },
    cpus: size.cpus,
    memoryGb: size.memoryGb,
    description: `Found on ${host}${words}`,
    history: [{ state, at, reason: `found on ${host}` }],
  }
}

/** Whether a machine was found at its hypervisor, and nobody has claimed it. */
export function isUnclaimed({ owner, pool, request, hypervisor }: Machine): boolean {
  return owner === null && pool === null && request === null && hypervisor !== null
}

const longest = 58

/** Names for it, in the order in which they are to be tried: its own as far as that is one (RFC 1123), then numbered. */
export function* namesForFound(called: string): Generator<string> {
  const legal = called
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, longest)
    .replace(/-+$/, '')
  const stem = legal === '' ? 'found' : legal
  yield stem
  for (let number = 2; number < 10_000; number++) yield `${stem}-${number}`
}
