import { link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { extname, isAbsolute, join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { Outage } from '../../base/errors.ts'
import type { Image } from '../hypervisor.ts'
import { hypervisorUnreachable, refused } from '../outages.ts'
import { NoAnswer, run } from '../command.ts'
import { checkRef } from './naming.ts'

/** How long a copy of a whole disk may take. */
const copyMillis = 4 * 60 * 60_000
const lookMillis = 60_000

/** The formats of files that come and go, by their ending. Never found out from what is in the file. */
const formats: Readonly<Record<string, string>> = { '.qcow2': 'qcow2', '.vhd': 'vpc', '.vhdx': 'vhdx' }

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
      await whole(target, (draft) => convert(file, 'qcow2', draft, ['-O', 'qcow2'], signal))
    },
    images: () => listed(library),
    removeImage: (image) => rm(imageFile(image), { force: true }),
    async exportImage(image, file, signal) {
      const format = formatOf(file)
      const from = await known(image)
      if (await isThere(file)) throw refused(`The file ${file} is there already.`)
      const options = format === 'vpc' ? ['-o', 'subformat=dynamic,force_size=on'] : []
      await whole(file, (draft) => convert(from, 'qcow2', draft, ['-O', format, ...options], signal), 'new')
    },
    async importImage(file, image, signal) {
      const target = imageFile(image)
      if (await isThere(target)) return
      const format = formatOf(file)
      await verify(file, format, signal)
      await mkdir(library, { recursive: true, mode: 0o750 })
      await whole(target, async (draft) => {
        await convert(file, format, draft, ['-O', 'qcow2'], signal)
        await verify(draft, 'qcow2', signal)
      })
    },
  }
}

/** What `qemu-img info` says that matters: whether a disk is more than its own file. */
const Info = z.object({
  format: z.string(),
  'virtual-size': z.number(),
  'backing-filename': z.string().optional(),
  encrypted: z.boolean().optional(),
  'format-specific': z
    .object({
      data: z.object({ 'data-file': z.string().optional(), corrupt: z.boolean().optional() }).loose(),
    })
    .loose()
    .optional(),
})

/**
 * A disk from outside is taken only if it is all of itself: a file that names another one (a backing file, a data file)
 * would have us read whatever it names. The format is what its ending says, never what the file says of itself.
 */
async function verify(file: string, format: string, signal: AbortSignal): Promise<void> {
  const there = await stat(file).catch(() => undefined)
  if (there?.isFile() !== true) throw refused(`There is no file ${file}.`)
  const info = Info.safeParse(
    JSON.parse(await qemuImg(['info', '-f', format, '--output=json', file], signal, lookMillis)),
  )
  if (!info.success) throw refused(`${file} is no disk that is understood.`)
  const { 'backing-filename': backing, encrypted, 'format-specific': specific } = info.data
  if (backing !== undefined || specific?.data['data-file'] !== undefined)
    throw refused(`${file} is only a part of a disk: it names another file.`)
  if (encrypted === true) throw refused(`${file} is encrypted.`)
  if (specific?.data.corrupt === true) throw refused(`${file} is damaged.`)
  if (info.data['virtual-size'] === 0) throw refused(`${file} is an empty disk.`)
  // VHD has no way to be checked; reading all of it while converting is what there is.
  if (format !== 'vpc') await qemuImg(['check', '-q', '-f', format, file], signal, copyMillis)
}

function formatOf(file: string): string {
  const format = formats[extname(file).toLowerCase()]
  if (format === undefined) throw refused('A disk file ends in .qcow2, .vhd or .vhdx.')
  // A path from the root is a file to qemu-img, whatever else is in it; others may be addresses of something.
  if (!isAbsolute(file)) throw refused(`The file ${file} is not named by its whole path.`)
  return format
}

async function convert(
  from: string,
  format: string,
  to: string,
  how: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  return qemuImg(['convert', '-q', '-f', format, ...how, from, to], signal, copyMillis)
}

/** @throws Outage `hypervisor_refused` with what it said. */
async function qemuImg(words: readonly string[], signal: AbortSignal, millis = copyMillis): Promise<string> {
  try {
    const { code, stdout, stderr } = await run('qemu-img', words, { signal, deadlineMillis: millis })
    if (code === 0) return stdout
    const isBusy = /lock/i.test(stderr)
    throw refused(`qemu-img refused: ${said(stderr)}`, { transient: isBusy })
  } catch (error) {
    if (error instanceof NoAnswer) throw hypervisorUnreachable('qemu-img', error)
    throw error
  }
}

function said(stderr: string): string {
  const [first = 'no reason given'] = stderr.split('\n').filter((line) => line !== '')
  return `${first.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').slice(0, 300)}.`
}

/** Has a file made beside its place, and puts it there once it is whole. `new` never takes the place of another. */
export async function whole(
  file: string,
  make: (draft: string) => Promise<unknown>,
  place: 'new' | 'over' = 'over',
): Promise<void> {
  const draft = `${file}.${randomUUID()}.part`
  try {
    await make(draft)
    if (place === 'over') await rename(draft, file)
    else await link(draft, file)
  } catch (error) {
    if (error instanceof Outage || !(error instanceof Error) || !('code' in error)) throw error
    throw refused(`${file} could not be written (${String(error.code)}).`)
  } finally {
    await rm(draft, { force: true })
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
