import { formatOf } from '../disk-image.ts'
import type { Hypervisor } from '../hypervisor.ts'
import { hostUnreachable, refused } from '../outages.ts'
import { MaybeUpid } from './answers.ts'
import { type Cluster, type Image, listOf, type Place } from './cluster.ts'
import { disksIn } from './device.ts'
import { copyIn, copyOut, diskPath, dropImport, exchangeOf, importVolume } from './exchange.ts'
import { saidThat } from './failures.ts'
import { configure, imageNamed } from './making.ts'
import { goneTag, osIn, tagsIn, tagsOf, workingName } from './note.ts'
import { powerOf } from './state.ts'
import { finished } from './task.ts'

export type LibraryVerbs = Pick<
  Hypervisor,
  'capture' | 'images' | 'removeImage' | 'exportImage' | 'importImage'
>

const inUse = /still in use by linked clone/

/** The library: each image is a template VM. */
export function libraryVerbs(world: Cluster): LibraryVerbs {
  return {
    async capture(ref, image, signal) {
      signal.throwIfAborted()
      const place = await world.machine(ref, signal)
      if (await isKept(world, image, signal)) return
      const power = powerOf(await world.status(place, signal))
      if (power !== 'stopped')
        throw refused(`Machine ${ref} is ${power}: its disk is in motion. Shut it down first.`)
      const os = osIn(place.tags) ?? 'other'
      await keep(world, image, os, signal, () =>
        copyOf(world, place, 'image', image, world.rule.library, signal),
      )
    },
    async images(signal) {
      signal.throwIfAborted()
      const kept = (await world.images(signal)).filter(({ isGone }) => !isGone)
      const lists = await Promise.all(
        upNodesOf(kept, await world.nodes(signal)).map((node) => listOf(world.client, node, signal)),
      )
      const rows = new Map(lists.flat().map((row) => [row.vmid, row.status]))
      return kept.flatMap(({ ref, vmid }) => {
        const row = rows.get(vmid)
        return row?.template === true ? [{ ref, sizeGb: (row.maxdisk ?? 0) / 2 ** 30 }] : []
      })
    },
    async removeImage(image, signal) {
      signal.throwIfAborted()
      const found = (await world.images(signal)).find(({ ref }) => ref === image)
      if (found !== undefined) await discard(world, found, signal)
      for (const half of await world.begun('image', image, signal)) await erase(world, half, signal)
    },
    async exportImage(image, file, signal) {
      signal.throwIfAborted()
      await exportImage(world, image, file, signal)
    },
    async importImage(file, image, signal) {
      signal.throwIfAborted()
      await importImage(world, file, image, signal)
    },
  }
}

function upNodesOf(places: readonly Place[], nodes: ReadonlyMap<string, { isUp: boolean }>): string[] {
  return [...new Set(places.map(({ node }) => node))].filter((node) => nodes.get(node)?.isUp === true)
}

/** Whether the image is there, whole. */
async function isKept(world: Cluster, image: string, signal: AbortSignal): Promise<boolean> {
  const found = (await world.images(signal)).find(({ ref }) => ref === image)
  if (found === undefined) return false
  return (await world.status(found, signal)).template
}

/** Makes an image: a VM under a working name, which becomes a template and only then bears the image's tag. */
async function keep(
  world: Cluster,
  image: string,
  os: string,
  signal: AbortSignal,
  make: () => Promise<Place>,
): Promise<void> {
  const [begun] = await world.begun('image', image, signal)
  const place = begun ?? (await make())
  if (!(await world.status(place, signal)).template) {
    await world.act(place, 'template', signal)
  }
  const { tags } = await world.config(place, signal)
  await configure(world, place, signal, {
    name: `jackdaw-image-${image}`,
    tags: tagsOf('image', { ref: image, vmid: place.vmid, os }, tagsIn(tags)),
    description: `An image of Jackdaw's library: ${image}.`,
  })
}

/** A whole copy of a machine under a working name. */
async function copyOf(
  world: Cluster,
  source: Place,
  kind: 'image' | 'export',
  ref: string,
  storage: string | undefined,
  signal: AbortSignal,
  format?: string,
): Promise<Place> {
  const params = { name: workingName(kind, ref), full: true, storage, format, pool: world.rule.pool }
  const vmid = await world.withFreeId(signal, (newid) =>
    world.act(source, 'clone', signal, { newid, description: `A copy for Jackdaw: ${ref}.`, ...params }),
  )
  return { ref, node: source.node, vmid, tags: source.tags }
}

/** Machines that were made from it stand on its disk. While they do it is kept, and shown no more. */
async function discard(world: Cluster, image: Image, signal: AbortSignal): Promise<void> {
  const up = (await world.nodes(signal)).get(image.node)?.isUp === true
  if (!up) throw hostUnreachable(image.node)
  try {
    await erase(world, image, signal)
  } catch (error) {
    if (!saidThat(error, inUse)) throw error
    if (!image.isGone) await configure(world, image, signal, { tags: [...image.tags, goneTag].join(';') })
  }
}

/** Removes the images that were removed while machines stood on them, as far as none do any more. */
export async function dropGoneImages(world: Cluster, signal: AbortSignal): Promise<void> {
  const gone = (await world.images(signal)).filter(({ isGone }) => isGone)
  if (gone.length === 0) return
  const up = new Set(upNodesOf(gone, await world.nodes(signal)))
  for (const image of gone.filter(({ node }) => up.has(node))) await discard(world, image, signal)
}

async function erase(world: Cluster, place: Place, signal: AbortSignal): Promise<void> {
  const params = { purge: true, 'destroy-unreferenced-disks': true }
  await world.erase(`/nodes/${place.node}/qemu/${place.vmid}`, place.ref, signal, params)
}

/** The API gives no disks out: a copy is made on the storage that we see too, and taken from there. */
async function exportImage(world: Cluster, image: string, file: string, signal: AbortSignal): Promise<void> {
  formatOf(file)
  const exchange = exchangeOf(world.rule)
  const source = await imageNamed(world, image, signal)
  for (const half of await world.begun('export', image, signal)) await erase(world, half, signal)
  const copy = await copyOf(world, source, 'export', image, exchange.storage, signal, 'qcow2')
  try {
    const [disk] = disksIn(await world.config(copy, signal))
    if (disk === undefined) throw refused(`Image ${image} has no disk.`)
    await copyOut(diskPath(exchange, disk.volume), file, signal)
  } finally {
    await erase(world, copy, signal)
  }
  signal.throwIfAborted()
}

async function importImage(world: Cluster, file: string, image: string, signal: AbortSignal): Promise<void> {
  formatOf(file)
  if (await isKept(world, image, signal)) return
  const exchange = exchangeOf(world.rule)
  await copyIn(exchange, file, image, signal)
  try {
    await keep(world, image, 'other', signal, () =>
      madeOfDisk(world, importVolume(exchange, image), image, signal),
    )
  } finally {
    await dropImport(exchange, image)
  }
}

/** A VM around a disk that came from outside. Any guest can boot from SATA, whatever drivers it has. */
async function madeOfDisk(
  world: Cluster,
  volume: string,
  image: string,
  signal: AbortSignal,
): Promise<Place> {
  const { hosts, library, storage = library, pool, name } = world.rule
  if (storage === undefined) throw refused(`Name a storage for imported disks as storage of ${name}.`)
  const nodes = await world.nodes(signal)
  const host = hosts.find((one) => nodes.get(one.name)?.isUp === true)
  if (host === undefined) throw hostUnreachable(hosts.map((one) => one.name).join(', '))
  const vmid = await world.withFreeId(signal, async (free) => {
    const upid = await world.client.post(`/nodes/${host.name}/qemu`, MaybeUpid, signal, {
      vmid: free,
      name: workingName('image', image),
      description: `An image of Jackdaw's library: ${image}.`,
      pool,
      ostype: 'other',
      sata0: `${library ?? storage}:0,import-from=${volume}`,
      boot: 'order=sata0',
      serial0: 'socket',
    })
    await finished(world, upid, image, signal)
  })
  return { ref: image, node: host.name, vmid, tags: [] }
}
