import { instant } from '../../base/clock.ts'
import type { Hypervisor, Snapshot } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { Snapshots } from './answers.ts'
import type { Cluster, Place } from './cluster.ts'
import type { Switches } from './power.ts'
import { powerOf } from './state.ts'

/** The snapshot that is taken before the first boot. */
export const cleanCopy = 'jackdaw-clean'

const lead = 'jackdaw: '

interface Kept extends Snapshot {
  /** What the hypervisor calls it: it takes fewer names than we do. Ours stands in its description. */
  own: string
}

/** The snapshots of a machine that people know of, the oldest first. */
export async function snapshotsOf(
  world: Pick<Cluster, 'client'>,
  place: Place,
  signal: AbortSignal,
): Promise<Kept[]> {
  const all = await world.client.get(`/nodes/${place.node}/qemu/${place.vmid}/snapshot`, Snapshots, signal)
  return all
    .filter(({ name }) => name !== 'current' && name !== cleanCopy)
    .map(({ name, description, snaptime = 0 }) => ({
      name: nameIn(description) ?? name,
      own: name,
      seconds: snaptime,
    }))
    .sort((a, b) => a.seconds - b.seconds)
    .map(({ name, own, seconds }) => ({ name, own, takenAt: instant(seconds * 1000) }))
}

function nameIn(description: string): string | undefined {
  const [line = ''] = description.split('\n')
  return line.startsWith(lead) ? line.slice(lead.length) : undefined
}

/** A name that the hypervisor takes (a letter, then letters, digits, `_` and `-`; at most 40) and that is free. */
export function ownName(name: string, taken: readonly string[]): string {
  const base = `jd-${name.replace(/[^A-Za-z0-9-]/g, '_')}`.slice(0, 36)
  for (let count = 1; ; count++) {
    const own = count === 1 ? base : `${base}-${count}`
    if (!taken.includes(own)) return own
  }
}

/** The port's verbs on snapshots. */
export function snapshotVerbs(
  world: Cluster,
  switches: Switches,
): Pick<Hypervisor, 'snapshot' | 'revert' | 'forget'> {
  async function take(place: Place, name: string, signal: AbortSignal): Promise<void> {
    const known = await snapshotsOf(world, place, signal)
    if (known.some((one) => one.name === name)) return
    const power = powerOf(await world.status(place, signal))
    if (power === 'saved') {
      throw refused(
        `Machine ${place.ref} is saved, and Proxmox VE takes no snapshot of it then. Resume or power it off first.`,
      )
    }
    const snapname = ownName(
      name,
      known.map(({ own }) => own),
    )
    const description = `${lead}${name}`
    await world.act(place, 'snapshot', signal, { snapname, description, vmstate: power !== 'stopped' })
  }

  async function revert(place: Place, name: string, signal: AbortSignal): Promise<void> {
    const kept = (await snapshotsOf(world, place, signal)).find((one) => one.name === name)
    if (kept === undefined) throw refused(`Machine ${place.ref} has no snapshot ${name}.`)
    // A saved machine is locked; what it had in memory is lost by going back anyhow.
    if (powerOf(await world.status(place, signal)) === 'saved') await switches.stop(place, signal)
    // One that was taken of a running machine starts it: its memory is part of it.
    await world.act(place, `snapshot/${kept.own}/rollback`, signal, { start: false })
  }

  async function forget(place: Place, name: string, signal: AbortSignal): Promise<void> {
    const kept = (await snapshotsOf(world, place, signal)).find((one) => one.name === name)
    if (kept !== undefined) await drop(world, place, kept.own, signal)
  }

  const verb =
    (act: (place: Place, name: string, signal: AbortSignal) => Promise<void>) =>
    async (ref: string, name: string, signal: AbortSignal) => {
      signal.throwIfAborted()
      await act(await world.machine(ref, signal), name, signal)
    }
  return { snapshot: verb(take), revert: verb(revert), forget: verb(forget) }
}

export async function drop(world: Cluster, place: Place, own: string, signal: AbortSignal): Promise<void> {
  const path = `/nodes/${place.node}/qemu/${place.vmid}/snapshot/${own}`
  await world.erase(path, place.ref, signal)
}
