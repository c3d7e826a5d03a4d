import type { Duplex } from 'node:stream'
import type { Instant } from '../base/clock.ts'
import type { Size } from '../machines/machine.ts'

/** Somebody who is to be an administrator in the guest (sudo, local Administrators). */
export interface Administrator {
  /** Their account name. */
  user: string
  /** Their OpenSSH public keys, a line each; none where they have given none. */
  keys: readonly string[]
}

/** An empty disk, to be filled by whoever boots it. */
export interface Blank {
  diskGb: number
  /** The disc (an ISO file that the hypervisor's part of the site's file names) to boot from; null is the network (PXE). */
  disc: string | null
}

/** What a machine is to be made as. */
export interface MachineSpec extends Size {
  /** Ours, unique and never used again; a driver takes it as its own id or keeps it beside it. */
  ref: string
  /** The computer name that the guest is to have. Free again once its machine is removed. */
  name: string
  host: string
  template: string
  os: 'linux' | 'windows' | 'other'
  /** The owner first. */
  administrators: readonly Administrator[]
  /** Six octets, lower case with colons: exactly what its adapter is to have. It is registered before the first boot. */
  mac: string
  /** The ref of an image of the library to make its disk from. Its template need then not be known to the driver. */
  image?: string
  /** The ref of an image to be put beside its own disk, as a second one. */
  data?: string
  /** An empty disk in the place of the template's. The disk is booted from first, as soon as something is on it. */
  blank?: Blank
  /** On a network of its own, without a way to other machines. */
  isolated?: boolean
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
  /** What the provider calls it, where it says. One that is not ours is taken up under a name made from it. */
  name?: string
  /** The size that it has there, where the provider says. What was agreed on is another matter. */
  size?: Size
}

/** A state of a machine that can be gone back to. */
export interface Snapshot {
  name: string
  takenAt: Instant
}

/** A disk in the library, from which machines can be made. */
export interface Image {
  /** Ours, unique and never used again. */
  ref: string
  /** What it takes up, in GB. */
  sizeGb: number
}

/** How a machine would get to another host, and why not better than that. */
export type Passage = { how: 'live' } | { how: 'quick' | 'none'; why: string }

/**
 * What a machine is and does at this moment. Whatever the provider cannot say is null, and what went wrong in asking
 * is a problem in words: one device that does not answer does not hide the others.
 */
export interface Figures {
  uptimeSeconds: number | null
  /** Share of its processors in use, 0 to 1. */
  cpuLoad: number | null
  memoryUsedGb: number | null
  /** Whether the guest's own agent answers. */
  heartbeat: 'ok' | 'lost' | 'none'
  /** Bytes since it started. */
  disks: { name: string; sizeGb: number | null; readBytes: number | null; writtenBytes: number | null }[]
  networks: { name: string; mac: string | null; receivedBytes: number | null; sentBytes: number | null }[]
  snapshots: Snapshot[]
  /** A small picture of its screen. */
  thumbnail: { type: 'image/png'; body: Uint8Array } | null
  problems: string[]
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
  /** The templates that machines on it can be made from; absent is any. */
  templates?: readonly string[]
  /** What its processors are. Machines move live only between hosts of the same; absent is not known. */
  cpu?: string
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
  /** Removes the machine, running or half-made, its disks and its snapshots. One that is gone already is success. */
  remove(ref: string, signal: AbortSignal): Promise<void>

  /** Keeps its disks, and its memory if it runs, to go back to. A snapshot of that name is kept as it is. */
  snapshot(ref: string, name: string, signal: AbortSignal): Promise<void>
  /**
   * Goes back to a snapshot: afterwards it runs if it ran then, and is stopped if not.
   * @throws Outage `hypervisor_refused` when it has none of that name.
   */
  revert(ref: string, name: string, signal: AbortSignal): Promise<void>
  /** Forgets a snapshot; the machine stays as it is. One that is gone already is success. */
  forget(ref: string, name: string, signal: AbortSignal): Promise<void>

  /**
   * Makes an image of the disk of a stopped machine, which stays as it is. An image of that ref is kept as it is; one
   * that was broken off is not there. A machine that is not stopped is refused, since its disk is in motion.
   */
  capture(ref: string, image: string, signal: AbortSignal): Promise<void>
  /** The images of the library. */
  images(signal: AbortSignal): Promise<Image[]>
  /** Removes an image. Machines made from it go on. One that is gone already is success. */
  removeImage(image: string, signal: AbortSignal): Promise<void>
  /**
   * Writes an image to a file that the hypervisor can reach, in the format of the file's ending (`.qcow2`, `.vhd`,
   * `.vhdx`). @throws Outage `hypervisor_refused` for another ending, a file that is there, or an image that is not.
   */
  exportImage(image: string, file: string, signal: AbortSignal): Promise<void>
  /**
   * Takes a file into the library, verified and in the format that the hypervisor wants.
   * @throws Outage `hypervisor_refused` when it is no disk, or a damaged one.
   */
  importImage(file: string, image: string, signal: AbortSignal): Promise<void>

  /** How it would get to that host now: nothing is changed. */
  passage(ref: string, host: string, signal: AbortSignal): Promise<Passage>
  /**
   * Moves it to another host, live where `passage` says so, else saved, moved and resumed; one that is stopped or
   * saved stays so. Being there already is success. What cannot be is refused, and it stays where it was.
   * @param progress is told the share that is done, 0 to 1, where the hypervisor says.
   */
  migrate(ref: string, host: string, signal: AbortSignal, progress?: (share: number) => void): Promise<void>

  /** What it is and does at this moment. */
  figures(ref: string, signal: AbortSignal): Promise<Figures>
  /**
   * Opens its screen (RFB 3.8, RFC 6143) or its serial line as a stream of bytes, which whoever asked closes.
   * @throws Outage `hypervisor_refused` when it does not run or has no such thing.
   */
  console(ref: string, kind: 'screen' | 'serial', signal: AbortSignal): Promise<Duplex>

  /**
   * The refs of machines that may have become another just now, for as long as somebody listens. A hint, to ask their
   * status by: some may be missed, some told for nothing. Ends by rejecting with the signal's reason. A driver that
   * cannot follow its hypervisor tells none.
   */
  changes(signal: AbortSignal): AsyncIterable<string>

  /** Lets go of connections. Machines go on. Harmless twice; other calls are over with by then. */
  close(): Promise<void>
}
