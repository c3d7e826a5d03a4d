import type { Hypervisor } from '../hypervisor.ts'
import { guestIgnored, hostUnreachable, refused } from '../outages.ts'
import { MaybeUpid, Nothing, type VmStatus } from './answers.ts'
import type { Cluster, Place } from './cluster.ts'
import { saidThat } from './failures.ts'
import { powerOf } from './state.ts'
import { finished } from './task.ts'

const settleMillis = 250
/** How long a guest is given to shut down. */
const shutdownSeconds = 180

export type PowerVerbs = Pick<Hypervisor, 'start' | 'shutdown' | 'powerOff' | 'reset' | 'save' | 'resume'>

type Act = (place: Place, signal: AbortSignal) => Promise<void>

/** The verbs on whole machines, by their place: others build on them. */
export interface Switches {
  start: Act
  stop: Act
  save: Act
}

/** Switches machines on and off. */
export function switches(world: Cluster): Switches {
  async function start(place: Place, signal: AbortSignal): Promise<void> {
    const power = powerOf(await world.status(place, signal))
    if (power === 'running') return
    const verb = power === 'paused' ? 'status/resume' : 'status/start'
    await unless(/already running/, () => world.act(place, verb, signal))
    await settled(world, place, (status) => powerOf(status) === 'running', signal)
  }

  /** What is in memory is lost, and so is what was saved of it. */
  async function stop(place: Place, signal: AbortSignal): Promise<void> {
    const status = await world.status(place, signal)
    const power = powerOf(status)
    if (power === 'stopped') return
    if (power === 'saved') {
      const path = `/nodes/${place.node}/qemu/${place.vmid}/config`
      await world.client.put(path, Nothing, signal, { delete: 'vmstate' })
    } else {
      await unless(/not running/, () =>
        world.act(place, 'status/stop', signal, { 'overrule-shutdown': true }),
      )
    }
    await settled(world, place, (now) => powerOf(now) === 'stopped', signal)
  }

  async function save(place: Place, signal: AbortSignal): Promise<void> {
    const status = await world.status(place, signal)
    const power = powerOf(status)
    if (power === 'saved' || power === 'stopped') return
    if (status.ha?.managed === true) {
      throw refused(
        'Proxmox VE does not save machines that its HA looks after. Take it out of HA, or shut it down.',
      )
    }
    await world.act(place, 'status/suspend', signal, { todisk: true })
    await settled(world, place, (now) => powerOf(now) === 'saved', signal)
  }

  return { start, stop, save }
}

/** The port's verbs on power. */
export function powerVerbs(world: Cluster, { start, stop, save }: Switches): PowerVerbs {
  async function shutdown(place: Place, signal: AbortSignal): Promise<void> {
    const power = powerOf(await world.status(place, signal))
    if (power === 'stopped' || power === 'saved') return
    if (power === 'paused') throw guestIgnored(place.ref)
    const path = `/nodes/${place.node}/qemu/${place.vmid}/status/shutdown`
    const params = { timeout: shutdownSeconds, forceStop: false }
    await unless(/not running/, async () => {
      const upid = await world.client.post(path, MaybeUpid, signal, params)
      await finished(world, upid, place.ref, signal)
    })
    await settled(world, place, (now) => powerOf(now) !== 'running', signal)
  }

  async function reset(place: Place, signal: AbortSignal): Promise<void> {
    const power = powerOf(await world.status(place, signal))
    if (power !== 'running')
      throw refused(`Machine ${place.ref} is ${power}, and only one that runs can be reset.`)
    await world.act(place, 'status/reset', signal)
  }

  async function resume(place: Place, signal: AbortSignal): Promise<void> {
    const power = powerOf(await world.status(place, signal))
    if (power === 'stopped') throw refused(`Machine ${place.ref} is stopped, and has nothing to go on from.`)
    await start(place, signal)
  }

  const verb = (act: Act) => async (ref: string, signal: AbortSignal) => {
    signal.throwIfAborted()
    await act(await world.machine(ref, signal), signal)
  }
  return {
    start: verb(start),
    shutdown: verb(shutdown),
    powerOff: verb(stop),
    reset: verb(reset),
    save: verb(save),
    resume: verb(resume),
  }
}

/**
 * Waits until a machine is as it was asked to be. Where HA looks after it, the end of the task is only the beginning:
 * the node is told, and acts some seconds later.
 */
export async function settled(
  world: Pick<Cluster, 'status' | 'sleep'>,
  place: Place,
  isSo: (status: VmStatus) => boolean,
  signal: AbortSignal,
): Promise<void> {
  for (let looks = 0; looks < 240; looks++) {
    if (isSo(await world.status(place, signal))) return
    await world.sleep(settleMillis, signal)
  }
  throw hostUnreachable(place.node, new Error(`machine ${place.vmid} did not become what it was asked to be`))
}

/** What is so already is success, whatever the hypervisor calls it. */
async function unless(isSoAlready: RegExp, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!saidThat(error, isSoAlready)) throw error
  }
}
