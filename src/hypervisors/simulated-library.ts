import { z } from 'zod'
import type { Image } from './hypervisor.ts'
import { refused } from './outages.ts'

/** A disk in the library of a simulated farm. `disk` says where what is on it comes from. */
export const SimulatedImage = z.object({ ref: z.string(), disk: z.string(), sizeGb: z.number() })
export type SimulatedImage = z.infer<typeof SimulatedImage>

/** How large every simulated disk is. */
export const diskGb = 10

/** The images of a farm, in memory. */
export interface Library {
  readonly size: number
  get(ref: string): SimulatedImage | undefined
  /** @throws Outage `hypervisor_refused` when there is no such image. */
  disk(ref: string): string
  put(image: SimulatedImage): void
  remove(ref: string): void
  all(): Iterable<SimulatedImage>
  list(): Image[]
}

export function openLibrary(remembered: Iterable<SimulatedImage>): Library {
  const images = new Map(Array.from(remembered, (image) => [image.ref, image]))
  return {
    get size() {
      return images.size
    },
    get: (ref) => images.get(ref),
    disk(ref) {
      const image = images.get(ref)
      if (image === undefined) throw refused(`There is no image ${ref}.`)
      return image.disk
    },
    put: (image) => void images.set(image.ref, image),
    remove: (ref) => void images.delete(ref),
    all: () => images.values(),
    list: () => Array.from(images.values(), ({ ref, sizeGb }) => ({ ref, sizeGb })),
  }
}

/** A simulated disk as a file: a line that says so, and what is on it. */
const heading = 'jackdaw simulated disk'
const endings = /\.(qcow2|vhdx?)$/i

/** @throws Outage `hypervisor_refused` for a file of another kind. */
export function checkEnding(file: string): void {
  if (!endings.test(file)) throw refused(`${file} is no disk: its name ends in .qcow2, .vhd or .vhdx.`)
}

export function asFile({ disk }: SimulatedImage): string {
  return `${heading}\n${disk}\n`
}

export function isOurs(head: Buffer): boolean {
  return head.toString('latin1', 0, heading.length) === heading
}

/** @throws Outage `hypervisor_refused` when it is something else, or damaged. */
export function fromFile(text: string, ref: string): SimulatedImage {
  const [first, disk = '', end] = text.split('\n')
  if (first !== heading || disk === '' || end !== '')
    throw refused('The file is not a disk, or it is damaged.')
  return { ref, disk, sizeGb: diskGb }
}
