/** A machine of the fake. Every value of its configuration is text, as in its file. */
export interface FakeVm {
  vmid: number
  node: string
  config: Record<string, string>
  /** Values that wait for the next start. */
  pending: Record<string, string>
  snapshots: Map<string, FakeSnapshot>
  isTemplate: boolean
  /** QEMU's word while it runs; undefined while it does not. */
  qmp: 'running' | 'paused' | undefined
  /** How often somebody has written to its disk since it was made: a boot is one. */
  writes: number
  /** How often the agent is asked in vain after a start. */
  bootingFor: number
  ignoresShutdown: boolean
  ha: string | undefined
  seconds: number
}

export interface FakeSnapshot {
  config: Record<string, string>
  description: string
  snaptime: number
  hasMemory: boolean
  writes: number
}

export interface FakeTask {
  upid: string
  node: string
  type: string
  id: string
  /** How many more requests until it is done; Infinity for one that hangs. */
  left: number
  log: string[]
  exit: string | undefined
  /** What its worker does first; undefined once that is done. @throws Error with its exit status. */
  begin: (() => void) | undefined
  /** What it comes to. @throws Error with its exit status. */
  effect: () => void
  /** What it undoes when it is stopped. */
  undo: () => void
}

/** What the API answers with otherwise than 200. */
export class Answer extends Error {
  readonly status: number
  readonly errors: Record<string, string>

  constructor(status: number, message: string, errors: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.errors = errors
  }
}

export function aVm(vmid: number, node: string, config: Record<string, string>): FakeVm {
  return {
    vmid,
    node,
    config,
    pending: {},
    snapshots: new Map(),
    isTemplate: false,
    qmp: undefined,
    writes: 0,
    bootingFor: 0,
    ignoresShutdown: false,
    ha: undefined,
    seconds: 0,
  }
}

const driveSlot = /^(scsi|virtio|sata|ide)\d+$/

/** The volumes of a machine's drives, by slot. */
export function volumesOf(vm: FakeVm): Map<string, string> {
  return new Map(
    Object.entries(vm.config)
      .filter(([slot, value]) => driveSlot.test(slot) && !value.startsWith('none'))
      .map(([slot, value]) => [slot, value.split(',')[0] ?? '']),
  )
}

export function isDisc(vm: FakeVm, slot: string): boolean {
  return /media=cdrom/.test(vm.config[slot] ?? '')
}

export function storageOf(volume: string): string {
  return volume.split(':')[0] ?? ''
}
