import { link, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { convertDisk, formatOf, qemuImg, verifyDisk, whole } from '../disk-image.ts'
import type { Image } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { checkRef } from './naming.ts'

export type Base = { file: string; format: 'qcow2' | 'raw' }

export interface Disks {
  /** Where the files of a machine are. */
  paths(ref: string): MachineFiles
  makeFolder(ref: string): Promise<void>
  removeFolder(ref: string): Promise<void>
  /** A disk that holds only its differences to another one, in the place of what was there. */
  clone(base: Base, file: string, signal: AbortSignal): Promise<void>
  /** An empty disk. */
  empty(gigabytes: number, file: string, signal: AbortSignal): Promise<void>
  /** Gives an image of the library a second name, under which it stays for as long as a machine needs it. */
  hold(image: string, file: string): Promise<void>
  isThere(file: string): Promise<boolean>
  /** Forgets what it had in memory when a move was broken off. */
  dropMemory(ref: string): Promise<void>
  capture(file: string, image: string, signal: AbortSignal): Promise<void>
  images(): Promise<Image[]>
  removeImage(image: string): Promise<void>
  exportImage(image: string, file: string, signal: AbortSignal): Promise<void>
  importImage(file: string, image: string, signal: AbortSignal): Promise<void>
}

export interface MachineFiles {
  folder: string
  disk: string
  /** The image that its disk was made from. */
  base: string
  data: string
  dataBase: string
  seed: string
  /** What it had in memory, while that moves to another host. */
  memory: string
}

/** Files in the shared folder, by `qemu-img`. Each appears under its name only when it is whole. */
export function disks(folder: string): Disks {
  const library = join(folder, 'images')
  const imageFile = (ref: string) => join(library, `${checkRef(ref)}.qcow2`)

  function paths(ref: string): MachineFiles {
    const own = join(folder, 'machines', checkRef(ref))
    const file = (name: string) => join(own, name)
    return {
      folder: own,
      disk: file('disk.qcow2'),
      base: file('base.qcow2'),
      data: file('data.qcow2'),
      dataBase: file('data-base.qcow2'),
      seed: file('seed.iso'),
      memory: file('memory.save'),
    }
  }

  async function known(image: string): Promise<string> {
    const file = imageFile(image)
    if (await isThere(file)) return file
    throw refused(`There is no image ${image} in the library.`)
  }

  return {
    paths,
    async makeFolder(ref) {
      await mkdir(paths(ref).folder, { recursive: true, mode: 0o750 })
    },
    async removeFolder(ref) {
      await rm(paths(ref).folder, { recursive: true, force: true })
    },
    clone: ({ file: base, format }, file, signal) =>
      whole(file, (draft) =>
        qemuImg(['create', '-q', '-f', 'qcow2', '-F', format, '-b', base, draft], signal),
      ),
    empty: (gigabytes, file, signal) =>
      whole(file, (draft) => qemuImg(['create', '-q', '-f', 'qcow2', draft, `${gigabytes}G`], signal)),
    async hold(image, file) {
      const from = await known(image)
      await rm(file, { force: true })
      await link(from, file)
    },
    isThere,
    dropMemory: (ref) => rm(paths(ref).memory, { force: true }),
    async capture(file, image, signal) {
      const target = imageFile(image)
      if (await isThere(target)) return
      await mkdir(library, { recursive: true, mode: 0o750 })
      await whole(target, (draft) => convertDisk(file, 'qcow2', draft, ['-O', 'qcow2'], signal))
    },
    images: () => listed(library),
    removeImage: (image) => rm(imageFile(image), { force: true }),
    async exportImage(image, file, signal) {
      const format = formatOf(file)
      const from = await known(image)
      if (await isThere(file)) throw refused(`The file ${file} is there already.`)
      const options = format === 'vpc' ? ['-o', 'subformat=dynamic,force_size=on'] : []
      await whole(
        file,
        (draft) => convertDisk(from, 'qcow2', draft, ['-O', format, ...options], signal),
        'new',
      )
    },
    async importImage(file, image, signal) {
      const target = imageFile(image)
      if (await isThere(target)) return
      const format = formatOf(file)
      await verifyDisk(file, format, signal)
      await mkdir(library, { recursive: true, mode: 0o750 })
      await whole(target, async (draft) => {
        await convertDisk(file, format, draft, ['-O', 'qcow2'], signal)
        await verifyDisk(draft, 'qcow2', signal)
      })
    },
  }
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

async function listed(library: string): Promise<Image[]> {
  const names = await readdir(library).catch(() => [])
  const found = names.flatMap((name) => (name.endsWith('.qcow2') ? [name.slice(0, -'.qcow2'.length)] : []))
  return Promise.all(
    found.map(async (ref) => {
      const { blocks } = await stat(join(library, `${ref}.qcow2`))
      return { ref, sizeGb: (blocks * 512) / 2 ** 30 }
    }),
  )
}
