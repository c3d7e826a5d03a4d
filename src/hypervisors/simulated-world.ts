import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock, Instant } from '../base/clock.ts'
import { roughMillis } from '../base/duration.ts'
import { messageOf, Outage } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { MachineStatus } from './hypervisor.ts'
import { hypervisorUnreachable } from './outages.ts'
import { type ChangeFeed, changeFeed } from './change-feed.ts'
import { type Farm, openFarm } from './simulated-farm.ts'
import { type Library, openLibrary } from './simulated-library.ts'
import { type OpenLines, openLines } from './simulated-lines.ts'
import { hasRdp, type SimulatedMachine, stateInWords } from './simulated-machine.ts'
import { rdpHosts } from './simulated-rdp-host.ts'
import { type FaultPlan, faultPlan, type Occasion } from './simulator-faults.ts'
import type { FaultRule, SimulatorRule } from './simulator-rule.ts'
import { farmWriter, forgetful, readFarm } from './simulator-state.ts'

export interface SimulatorOptions extends SimulatorRule {
  /** The file in which the farm outlives the process. Without one it is forgotten. */
  statePath?: string | undefined
}

export interface SimulatorServices {
  clock: Clock
  log: Log
  /** Waits; rejects once the signal is aborted. Real timers unless a test hands in something quicker. */
  sleep?: ((millis: number, signal: AbortSignal) => Promise<void>) | undefined
}

/** What a change makes of a machine: the same one when there is nothing to do, nothing when it is to go. */
type Change = (machine: SimulatedMachine | undefined) => SimulatedMachine | undefined

/** The farm with time, faults, RDP servers and a memory around it: what every call of the simulator goes through. */
export interface World {
  readonly farm: Farm
  readonly library: Library
  readonly faults: FaultPlan
  now(): Instant
  /** Does the work of one call, with whatever was planned to go wrong in it. */
  call<T>(occasion: Occasion, signal: AbortSignal, work: () => Promise<T>): Promise<T>
  /** Changes a machine, which takes its time. `newHost` is where one that does not exist yet is to be. */
  change(ref: string, signal: AbortSignal, next: Change, newHost?: string): Promise<void>
  /** Waits as long as a change takes. */
  wait(signal: AbortSignal): Promise<void>
  /** Resolves once the library is in the farm's file with this image, or without it. */
  saveImage(ref: string): Promise<void>
  /** Changes a machine at once, asking nobody. */
  strike(ref: string, next: Change): Promise<void>
  status(machine: SimulatedMachine): MachineStatus
  /** Tells of each machine that was changed. */
  readonly changed: ChangeFeed
  readonly lines: OpenLines
  close(): Promise<void>
}

export async function openWorld(options: SimulatorOptions, services: SimulatorServices): Promise<World> {
  const { log, sleep = realSleep } = services
  const { name, statePath: path } = options
  const remembered = path === undefined ? { machines: [], images: [] } : await readFarm(path, log)
  const farm = openFarm(options, remembered.machines)
  const library = openLibrary(remembered.images)
  const writer = path === undefined ? forgetful : farmWriter(path, farm, library, log)
  const faults = faultPlan(options.faults)
  const rdp = rdpHosts()
  const changed = changeFeed()
  const lines = openLines()
  const stageMillis = roughMillis(options.stage)
  let closed = false
  let saidDeaf = false

  function checkOpen(): void {
    if (closed) throw hypervisorUnreachable(name)
  }

  async function wait(signal: AbortSignal): Promise<void> {
    try {
      await sleep(stageMillis, signal)
    } finally {
      // The port promises the signal's own reason, whatever a sleep rejects with.
      signal.throwIfAborted()
    }
    checkOpen()
  }

  async function call<T>(occasion: Occasion, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    checkOpen()
    const fault = faults.meet(occasion)
    if (fault === undefined) return work()
    log.info({ hypervisor: name, ...occasion, outage: fault.outage }, 'simulated fault')
    if (!fault.late) await befall(fault, occasion, signal)
    const answer = await work()
    if (fault.late) await befall(fault, occasion, signal)
    return answer
  }

  async function befall({ outage }: FaultRule, { call, ref }: Occasion, signal: AbortSignal): Promise<void> {
    if (outage === 'gone') {
      if (ref !== undefined) await strike(ref, () => undefined)
      return
    }
    if (outage === 'hang') {
      if (!signal.aborted) await once(signal, 'abort')
      signal.throwIfAborted()
      return
    }
    throw new Outage(outage.code, `A planned fault befell ${call}.`, { transient: outage.transient })
  }

  async function change(ref: string, signal: AbortSignal, next: Change, newHost?: string): Promise<void> {
    const reached = () => {
      const machine = farm.get(ref)
      const host = machine?.host ?? newHost
      if (host !== undefined) farm.reach(host)
      return machine
    }
    const before = reached()
    if (next(before) === before) return
    await wait(signal)
    // The machine or its host may have become another while we waited.
    reached()
    await strike(ref, next)
  }

  async function strike(ref: string, next: Change): Promise<void> {
    const before = farm.get(ref)
    const after = next(before)
    if (after === undefined) farm.remove(ref)
    else farm.put(after)
    if (after?.boots !== before?.boots) rdp.cut(ref)
    if (after !== undefined && listens(after)) await listen(after)
    else await rdp.shut(ref)
    if (after?.power !== 'running') lines.cut(ref)
    changed.tell(ref)
    await writer.save(ref)
  }

  function listens(machine: SimulatedMachine): boolean {
    return hasRdp(machine) && options.rdpAddress === undefined
  }

  async function listen(machine: SimulatedMachine): Promise<void> {
    try {
      const rdpPort = await rdp.open(machine.ref, machine.rdpPort)
      const now = farm.get(machine.ref)
      if (now !== undefined && now.rdpPort !== rdpPort) farm.put({ ...now, rdpPort })
    } catch (error) {
      // Its guest runs, deaf. Said once, since what befalls one of thousands befalls the rest.
      if (!saidDeaf)
        log.warn({ ref: machine.ref, error: messageOf(error) }, 'simulated RDP server cannot listen')
      saidDeaf = true
    }
  }

  function rdpOf(machine: SimulatedMachine): MachineStatus['rdp'] {
    if (!hasRdp(machine)) return null
    if (options.rdpAddress !== undefined) return { ...options.rdpAddress }
    const port = rdp.port(machine.ref)
    return port === undefined ? null : { host: '127.0.0.1', port }
  }

  function status(machine: SimulatedMachine): MachineStatus {
    const { ref, host, address } = machine
    const { name: called, cpus, memoryGb } = machine
    const rest = { host, address, rdp: rdpOf(machine), name: called, size: { cpus, memoryGb } }
    return farm.responds(host)
      ? { ref, power: machine.power, ...rest, providerState: stateInWords(machine) }
      : { ref, power: 'unknown', ...rest, providerState: 'HostNotResponding' }
  }

  async function close(): Promise<void> {
    closed = true
    lines.close()
    await rdp.close()
    await writer.close()
  }

  // Machines that ran when the process ended have gone on meanwhile.
  await Promise.all(Array.from(farm.all()).filter(listens).map(listen))
  const now = () => services.clock.now()
  const saveImage = (ref: string) => writer.save(ref)
  return { farm, library, faults, now, call, change, wait, saveImage, strike, status, changed, lines, close }
}

async function realSleep(millis: number, signal: AbortSignal): Promise<void> {
  await pause(millis, undefined, { signal })
}
