import type { Size } from '../../machines/machine.ts'
import type { Hypervisor } from '../hypervisor.ts'
import { hostUnreachable, refused } from '../outages.ts'
import { Pending } from './answers.ts'
import type { Cluster, Place } from './cluster.ts'
import { dropSeeds } from './exchange.ts'
import { saidThat } from './failures.ts'
import { dropGoneImages } from './library.ts'
import { answered, configure, sizeParams } from './making.ts'
import { describe, noteIn, tagsOf } from './note.ts'
import type { Switches } from './power.ts'
import { cleanCopy, drop, snapshotsOf } from './snapshots.ts'
import { type Addresses, powerOf } from './state.ts'

interface Parts {
  world: Cluster
  switches: Switches
  addresses: Addresses
}

/** How long a guest is given to shut down for a change of size before the plug is pulled. */
const stopSeconds = 60
const sizeKeys = ['cores', 'sockets', 'memory', 'balloon']

/** Making machines larger, clean again, and gone. */
export function changing(parts: Parts): Pick<Hypervisor, 'resize' | 'restoreClean' | 'remove'> {
  const { world } = parts
  return {
    async resize(ref, size, signal) {
      signal.throwIfAborted()
      await resize(parts, await world.machine(ref, signal), size, signal)
    },
    async restoreClean(ref, signal) {
      signal.throwIfAborted()
      await restoreClean(parts, await world.machine(ref, signal), signal)
    },
    async remove(ref, signal) {
      signal.throwIfAborted()
      const found = await world.find(ref, signal)
      if (found?.isUp === false) throw hostUnreachable(found.node)
      const begun = await world.begun('machine', ref, signal)
      for (const place of [...(found === undefined ? [] : [found]), ...begun])
        await destroy(parts, place, signal)
      if (world.rule.exchange !== undefined) await dropSeeds(world.rule.exchange, ref)
      await dropGoneImages(world, signal)
    },
  }
}

async function resize(
  { world, switches }: Parts,
  place: Place,
  size: Size,
  signal: AbortSignal,
): Promise<void> {
  const power = powerOf(await world.status(place, signal))
  if (power === 'saved' || power === 'paused') {
    throw refused(
      `Machine ${place.ref} is ${power}: what it has in memory would not fit. Resume or stop it first.`,
    )
  }
  const config = await world.config(place, signal)
  const { cpus, memoryGb } = size
  // One that was made by hand and claimed since has no notes of ours.
  const note = noteIn(config.description)
  const description = note === undefined ? undefined : describe({ ...note, cpus, memoryGb })
  await configure(world, place, signal, { ...sizeParams(config, size), description })
  if (power !== 'running') return
  const path = `/nodes/${place.node}/qemu/${place.vmid}/pending`
  const waiting = await world.client.get(path, Pending, signal)
  const isWaiting = waiting.some(
    (one) => sizeKeys.includes(one.key) && (one.pending !== undefined || one.delete !== undefined),
  )
  if (!isWaiting) return
  await world.act(place, 'status/shutdown', signal, { timeout: stopSeconds, forceStop: true })
  await switches.start(place, signal)
}

/**
 * Goes back to the snapshot of before the first boot. The machine keeps its number, its address and our notes, and is
 * there all the time; removing and cloning it anew would have a moment in which it is missing, and a crash in that
 * moment would lose it. Snapshots that people took hold what the former user left, so they go first.
 */
async function restoreClean(
  { world, switches, addresses }: Parts,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  const { config, note } = await world.noted(place, signal)
  if (note.clean !== true) {
    const why = 'it has no clean copy: its storage keeps no snapshots, or it was made with an empty disk'
    throw refused(`Machine ${place.ref} cannot be set back: ${why}.`)
  }
  await switches.stop(place, signal)
  const kept = await snapshotsOf(world, place, signal)
  for (const { own } of kept.reverse()) await drop(world, place, own, signal)
  await world.act(place, `snapshot/${cleanCopy}/rollback`, signal, { start: false })
  const { ref, os, name } = note
  await configure(world, place, signal, {
    ...sizeParams(config, note),
    name,
    tags: tagsOf('ref', { ref, vmid: place.vmid, os }, place.tags),
  })
  await switches.start(place, signal)
  await answered({ world, switches, addresses }, place, signal)
}

async function destroy({ world, switches }: Parts, place: Place, signal: AbortSignal): Promise<void> {
  try {
    await switches.stop(place, signal)
    const params = { purge: true, 'destroy-unreferenced-disks': true }
    await world.erase(`/nodes/${place.node}/qemu/${place.vmid}`, place.ref, signal, params)
  } catch (error) {
    // Somebody else was quicker.
    if (!saidThat(error, /^Configuration file '.*' does not exist/)) throw error
  }
}
