import { open, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { messageOf } from '../base/errors.ts'
import { formatOfName, inspectDisk } from '../machines/disk-file.ts'
import type { Hypervisor } from './hypervisor.ts'
import { refused } from './outages.ts'
import { acting, occasion, whole } from './simulated-calls.ts'
import { asFile, checkEnding, diskGb, fromFile, isOurs, type SimulatedImage } from './simulated-library.ts'
import { revertedTo, snapshotForgotten, snapshotTaken } from './simulated-snapshots.ts'
import type { World } from './simulated-world.ts'

type Snapshots = Pick<Hypervisor, 'snapshot' | 'revert' | 'forget'>
type Images = Pick<Hypervisor, 'capture' | 'images' | 'removeImage' | 'exportImage' | 'importImage'>

/** What a simulated farm keeps: states of machines, and disks. */
export function keeping(world: World): Snapshots & Images {
  return { ...snapshots(world), ...images(world), ...files(world) }
}

function snapshots(world: World): Snapshots {
  const act = acting(world)
  return {
    snapshot: (ref, name, signal) =>
      act('snapshot', ref, signal, (machine) => snapshotTaken(machine, name, world.now())),
    revert: (ref, name, signal) =>
      act('revert', ref, signal, (machine) => revertedTo(machine, name, world.now())),
    forget: (ref, name, signal) => act('forget', ref, signal, (machine) => snapshotForgotten(machine, name)),
  }
}

function images(world: World): Pick<Images, 'capture' | 'images' | 'removeImage'> {
  const { library, farm } = world
  function stopped(ref: string): string {
    const { power, disk, host } = whole(farm.get(ref), ref)
    farm.reach(host)
    if (power !== 'stopped') throw refused(`Machine ${ref} is ${power}: its disk is in motion.`)
    return disk
  }
  return {
    capture: (ref, image, signal) =>
      world.call(occasion(world, 'capture', ref), signal, async () => {
        stopped(ref)
        if (library.get(image) !== undefined) return
        await world.wait(signal)
        library.put({ ref: image, disk: stopped(ref), sizeGb: diskGb })
        await world.saveImage(image)
      }),
    images: (signal) => world.call({ call: 'images' }, signal, () => Promise.resolve(library.list())),
    removeImage: (image, signal) =>
      world.call({ call: 'removeImage' }, signal, async () => {
        if (library.get(image) === undefined) return
        library.remove(image)
        await world.saveImage(image)
      }),
  }
}

function files(world: World): Pick<Images, 'exportImage' | 'importImage'> {
  const { library } = world
  return {
    exportImage: (image, file, signal) =>
      world.call({ call: 'exportImage' }, signal, async () => {
        checkEnding(file)
        const text = asFile({ ref: image, disk: library.disk(image), sizeGb: diskGb })
        await world.wait(signal)
        await writeFile(file, text, { flag: 'wx' }).catch((error: unknown) => {
          throw refused(`${file} cannot be written: ${messageOf(error)}.`)
        })
      }),
    importImage: (file, image, signal) =>
      world.call({ call: 'importImage' }, signal, async () => {
        checkEnding(file)
        if (library.get(image) !== undefined) return
        const taken = await takenFrom(file, image)
        await world.wait(signal)
        library.put(taken)
        await world.saveImage(image)
      }),
  }
}

/** The longest that a disk of our own is as a file. */
const longest = 1 << 20

/** What a file holds: a disk that a farm wrote, or a real one, of which is remembered what it was called. */
async function takenFrom(path: string, ref: string): Promise<SimulatedImage> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw refused(`${path} cannot be read: ${messageOf(error)}.`)
  })
  try {
    const { size } = await file.stat()
    const read = async (at: number, length: number) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at)
      return buffer.subarray(0, bytesRead)
    }
    const head = await read(0, Math.min(size, longest))
    const format = formatOfName(path)
    if (isOurs(head) || format === undefined) return fromFile(head.toString('utf8'), ref)
    const found = await inspectDisk(format, size, read)
    if ('fault' in found) throw refused(`${basename(path)} ${found.fault}.`)
    return { ref, disk: `a ${format} file`, sizeGb: Math.max(1, Math.ceil(found.bytes / 2 ** 30)) }
  } finally {
    await file.close()
  }
}
