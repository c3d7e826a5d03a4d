import { readFile, writeFile } from 'node:fs/promises'
import { messageOf } from '../base/errors.ts'
import type { Hypervisor } from './hypervisor.ts'
import { refused } from './outages.ts'
import { acting, occasion, whole } from './simulated-calls.ts'
import { asFile, checkEnding, diskGb, fromFile } from './simulated-library.ts'
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
        const text = await readFile(file, 'utf8').catch((error: unknown) => {
          throw refused(`${file} cannot be read: ${messageOf(error)}.`)
        })
        const taken = fromFile(text, image)
        await world.wait(signal)
        library.put(taken)
        await world.saveImage(image)
      }),
  }
}
