import { randomUUID } from 'node:crypto'
import { filesOf, type Files } from './files.ts'
import { Enum, PsError, type Thing, thing, type Value } from './values.ts'

/** A virtual machine on a stand-in of Hyper-V. */
export interface Vm {
  id: string
  name: string
  notes: string
  state: State
  cpus: number
  memory: number
  generation: number
  folder: string
  disks: string[]
  dvds: string[]
  nic: { mac: string; switchName: string }
  pipe: string
  secureBoot: string
  checkpointType: string
  checkpoints: { id: string; name: string; state: State; disks: string[] }[]
  boots: number
  guest: Guest
}

/** How the guest behaves. */
export interface Guest {
  ignoresShutdown: boolean
  hasAgent: boolean
}

export type State = keyof typeof states

/** VMState with its numbers in PowerShell. */
const states = {
  Running: 2,
  Off: 3,
  Stopping: 4,
  Saved: 6,
  Paused: 9,
  Starting: 10,
  RunningCritical: 32783,
} as const

export interface Computer {
  name: string
  vms: Vm[]
  files: Files
  switches: string[]
  processor: string
  memory: number
  cpus: number
  /** Migration to it is not set up. */
  isClosed: boolean
}

export interface HyperVWorld {
  computers: Map<string, Computer>
  computer(name: string): Computer
  vm(id: string): Vm | undefined
}

export function hyperVWorld(root: string, names: readonly string[]): HyperVWorld {
  const computers = new Map(
    names.map((name): [string, Computer] => [
      name,
      {
        ...{ name, vms: [], files: filesOf(root, name), switches: ['Production'], processor: 'Xeon E5-2690' },
        ...{ memory: 64 * 2 ** 30, cpus: 16, isClosed: false },
      },
    ]),
  )
  const computer = (name: string): Computer => {
    const found = computers.get(name)
    if (found === undefined) throw new Error(`there is no computer ${name}`)
    return found
  }
  return {
    computers,
    computer,
    vm: (id) => [...computers.values()].flatMap(({ vms }) => vms).find((vm) => vm.id === id),
  }
}

export function aVm(name: string, folder: string): Vm {
  return {
    ...{ id: randomUUID(), name, folder, notes: '', state: 'Off', cpus: 1, memory: 2 ** 30, generation: 1 },
    ...{ disks: [], dvds: [], nic: { mac: '', switchName: '' }, pipe: '', secureBoot: 'On:MicrosoftWindows' },
    ...{ checkpointType: 'Production', checkpoints: [], boots: 0 },
    guest: { ignoresShutdown: false, hasAgent: true },
  }
}

export function stateOf(state: State): Enum {
  return new Enum(state, states[state])
}

/** The object that Get-VM gives; it knows its machine for cmdlets that are handed it. */
export function vmThing(vm: Vm): Thing {
  const runs = vm.state === 'Running' || vm.state === 'RunningCritical'
  const made = thing('VirtualMachine', {
    Id: thing('Guid', { ToString: () => vm.id }),
    Name: vm.name,
    Notes: vm.notes,
    State: stateOf(vm.state),
    Status: 'Operating normally',
    Heartbeat:
      runs && vm.guest.hasAgent
        ? new Enum('OkApplicationsUnknown', 3)
        : runs
          ? new Enum('NoContact', 12)
          : null,
    ProcessorCount: vm.cpus,
    MemoryStartup: vm.memory,
    MemoryAssigned: runs ? vm.memory : 0,
    MemoryDemand: runs && vm.guest.hasAgent ? vm.memory / 4 : 0,
    CPUUsage: runs ? 7 : 0,
    Uptime: thing('TimeSpan', { TotalSeconds: runs ? 61.5 : 0 }),
    Generation: vm.generation,
    IsClustered: false,
  })
  behind.set(made, vm)
  return made
}

const behind = new WeakMap<Thing, Vm>()

/** The machine behind an object that a cmdlet was handed. */
export function vmOf(value: Value | undefined): Vm {
  const found =
    typeof value === 'object' && value !== null && 'members' in value ? behind.get(value) : undefined
  if (found === undefined) {
    throw new PsError(
      'ParameterBindingValidationException',
      'Cannot bind argument to parameter VM because it is null.',
      'InvalidData',
    )
  }
  return found
}

export function wrongState(vm: Vm, cmdlet: string): PsError {
  return new PsError(
    `InvalidState,Microsoft.HyperV.PowerShell.Commands.${cmdlet}`,
    `The operation cannot be performed while the object is in its current state: ${vm.name} is ${vm.state}.`,
    'InvalidOperation',
    0x8007139f,
  )
}

export function failed(
  cmdlet: string,
  message: string,
  hresult = 0x80131500,
  category = 'NotSpecified',
): PsError {
  return new PsError(
    `OperationFailed,Microsoft.HyperV.PowerShell.Commands.${cmdlet}`,
    message,
    category,
    hresult,
  )
}
