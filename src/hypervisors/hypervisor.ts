import type { Size } from '../machines/machine.ts'

/** What a machine is to be made as. `ref` is ours and unique; a driver uses it as its own id or keeps it beside it. */
export interface MachineSpec extends Size {
  ref: string
  name: string
  host: string
  template: string
  os: 'linux' | 'windows' | 'other'
  /** Account names that are to be administrators in the guest (sudo, local Administrators). */
  administrators: readonly string[]
}

export type Power = 'running' | 'stopped' | 'saved' | 'paused' | 'missing' | 'unknown'

export interface MachineStatus {
  ref: string
  power: Power
  /** The host it is on now. */
  host: string | null
  address: string | null
  /** Where its RDP server listens, if it has one and runs. */
  rdp: { host: string; port: number } | null
  /** The provider's own word for its state. */
  providerState: string
}

export interface HostStatus {
  name: string
  version: string
  cpus: number
  memoryGb: number
  slots: number
  group: string
  reachable: boolean
}

export interface Inventory {
  hosts: HostStatus[]
  machines: MachineStatus[]
}

/**
 * A hypervisor, or what manages several (port). A driver never decides policy: it does what it is told, and says what
 * it did and what the world said.
 *
 * For every call:
 * - It waits no longer than its signal allows, and leaves nothing running in the background when it rejects.
 * - What cannot be done now but may be later rejects with a transient `Outage`; what cannot be done at all (no such
 *   template, no such host) rejects with one that is not. Codes: `hypervisor_unreachable`, `host_unreachable`,
 *   `machine_missing`, `guest_ignored`, `hypervisor_refused`.
 * - It may come twice, because a job may: asking for what is already so is success.
 * - A machine is named by `ref`, never by its name, which may be reused.
 */
export interface Hypervisor {
  /** Its name in the site's file. */
  readonly name: string
  /** Provisioning stages in order, in words for a person, such as `copying the disk`. At least one. */
  readonly stages: readonly string[]

  /** Hosts and machines as they are now. Also says that the hypervisor can be reached. */
  inventory(signal: AbortSignal): Promise<Inventory>

  /**
   * Carries out one stage of making a machine. Stages come in order, each at least once; one that is done already
   * is success. After the last, the machine runs and its owner can get in.
   */
  provision(spec: MachineSpec, stage: string, signal: AbortSignal): Promise<void>

  /** The machine as it is now; power `missing` when there is none of this ref. */
  status(ref: string, signal: AbortSignal): Promise<MachineStatus>

  /** Starts a machine, waking it from saved or paused. Resolves when it runs. */
  start(ref: string, signal: AbortSignal): Promise<void>
  /**
   * Asks the guest to shut down and waits until it has. A guest that does not is left running and reported as
   * a transient `Outage` `guest_ignored`: pulling the plug is for people to decide.
   */
  shutdown(ref: string, signal: AbortSignal): Promise<void>
  /** Pulls the plug. */
  powerOff(ref: string, signal: AbortSignal): Promise<void>
  /** Presses the reset button of a running machine. */
  reset(ref: string, signal: AbortSignal): Promise<void>
  /** Writes memory to disk and stops, so that `resume` goes on where it was. A stopped machine stays stopped. */
  save(ref: string, signal: AbortSignal): Promise<void>
  /** Goes on from saved or paused. Resolves when it runs. */
  resume(ref: string, signal: AbortSignal): Promise<void>
  /** Changes processors and memory. The driver stops and starts the machine when it cannot do so live. */
  resize(ref: string, size: Size, signal: AbortSignal): Promise<void>
  /** Sets the disk back to the template and boots: afterwards nothing of the former user is left, and it runs. */
  restoreClean(ref: string, signal: AbortSignal): Promise<void>
  /** Removes the machine and its disks. One that is gone already is success. */
  remove(ref: string, signal: AbortSignal): Promise<void>

  /** Lets go of connections. Machines go on. Harmless twice. */
  close(): Promise<void>
}
