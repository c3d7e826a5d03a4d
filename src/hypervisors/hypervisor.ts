import type { Size } from '../machines/machine.ts'

/** What a machine is to be made as. */
export interface MachineSpec extends Size {
  /** Ours, unique and never used again; a driver takes it as its own id or keeps it beside it. */
  ref: string
  /** The computer name that the guest is to have. Free again once its machine is removed. */
  name: string
  host: string
  template: string
  os: 'linux' | 'windows' | 'other'
  /** Account names that are to be administrators in the guest (sudo, local Administrators). */
  administrators: readonly string[]
}

/**
 * `missing`: the hypervisor answered, and has no such machine. `unknown`: its host did not answer, so that it may well
 * run. Only the first is a reason to give a machine up.
 */
export type Power = 'running' | 'stopped' | 'saved' | 'paused' | 'missing' | 'unknown'

export interface MachineStatus {
  ref: string
  /** A machine that is still being made is `stopped` until it boots. With `unknown`, the rest is what was known last. */
  power: Power
  /** The host it is on now, which need not be the one that it was made on. */
  host: string | null
  /** A host name or an IP address to show to people; null until it has one. */
  address: string | null
  /** Where its RDP server listens, if it has one and runs. May be another place after each start. */
  rdp: { host: string; port: number } | null
  /** The provider's own word for its state, for people to read. Nothing is decided by it. */
  providerState: string
}

export interface HostStatus {
  name: string
  version: string
  cpus: number
  memoryGb: number
  /** The most machines it may hold. */
  slots: number
  group: string
  reachable: boolean
}

export interface Inventory {
  hosts: HostStatus[]
  /** Every machine it has, ours or not, half-made or whole. */
  machines: MachineStatus[]
}

/**
 * A hypervisor, or what manages several (port). A driver never decides policy: it does what it is told, and says what
 * it did and what the world said.
 *
 * For every call:
 * - It waits no longer than its signal allows: once that is aborted it rejects with `signal.reason`. When it rejects it
 *   leaves nothing running in the background. A call whose signal is aborted from the start changes nothing; one that
 *   is cut off half-way leaves the machine as it was before or as it would have been after.
 * - What cannot be done now but may be later rejects with a transient `Outage`; what cannot be done at all (no such
 *   template, no such host, no room) rejects with one that is not. Their codes are `HypervisorCode` in `outages.ts`.
 * - It may come twice, because a job may: asking for what is already so is success.
 * - It may come for a machine that is gone or never was: `machine_missing`, not transient, save for `status` and
 *   `remove`, whose answer that is.
 * - A machine is named by `ref`, never by its name, which may be reused.
 *
 * A driver need not put calls on one machine in order (its caller does), but two at once must not break it.
 */
export interface Hypervisor {
  /** Its name in the site's file. */
  readonly name: string
  /** Provisioning stages in order, in words for a person, such as `copying the disk`. At least one; no two alike. */
  readonly stages: readonly string[]

  /** Hosts and machines as they are now; an unreachable host is listed as such. Also says that it can be reached. */
  inventory(signal: AbortSignal): Promise<Inventory>

  /**
   * Carries out one stage of making a machine. Stages come in order, each at least once; one that is done already
   * is success, even if its machine was stopped since. After the last, the machine runs and its owner can get in.
   * A caller that gives up half-way calls `remove`.
   * @throws Outage `hypervisor_refused` when the host, the template or the stage does not exist or there is no room.
   */
  provision(spec: MachineSpec, stage: string, signal: AbortSignal): Promise<void>

  /** The machine as it is now; power `missing` when there is none of this ref, `unknown` when its host is silent. */
  status(ref: string, signal: AbortSignal): Promise<MachineStatus>

  /** Starts a machine, waking it from saved or paused. Resolves when it runs. */
  start(ref: string, signal: AbortSignal): Promise<void>
  /**
   * Asks the guest to shut down and waits until it has. A guest that does not is left running and reported as
   * a transient `Outage` `guest_ignored`: pulling the plug is for people to decide. A saved machine stays saved.
   */
  shutdown(ref: string, signal: AbortSignal): Promise<void>
  /** Pulls the plug. What a saved machine had in memory is lost: it is stopped afterwards. */
  powerOff(ref: string, signal: AbortSignal): Promise<void>
  /** Presses the reset button of a running machine. One that does not run is refused: nothing would come of it. */
  reset(ref: string, signal: AbortSignal): Promise<void>
  /** Writes memory to disk and stops, so that `resume` goes on where it was. A stopped machine stays stopped. */
  save(ref: string, signal: AbortSignal): Promise<void>
  /** Goes on from saved or paused. Resolves when it runs. A stopped one is refused: it has nothing to go on from. */
  resume(ref: string, signal: AbortSignal): Promise<void>
  /**
   * Changes processors and memory. The driver stops and starts a running machine when it cannot do so live; a
   * stopped one stays stopped. A saved or paused one is refused, since what it has in memory would not fit.
   */
  resize(ref: string, size: Size, signal: AbortSignal): Promise<void>
  /**
   * Sets the disk back to the template and boots, whatever the machine was doing: afterwards nothing of the former
   * user is left, their connections are closed, and it runs. Doing it twice is doing it again.
   */
  restoreClean(ref: string, signal: AbortSignal): Promise<void>
  /** Removes the machine, running or half-made, and its disks. One that is gone already is success. */
  remove(ref: string, signal: AbortSignal): Promise<void>

  /** Lets go of connections. Machines go on. Harmless twice; other calls are over with by then. */
  close(): Promise<void>
}
