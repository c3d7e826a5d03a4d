import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { messageOf, Outage } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Farm } from './simulated-farm.ts'
import { type Library, SimulatedImage } from './simulated-library.ts'
import { SimulatedMachine } from './simulated-machine.ts'

/** One line of the file: a machine or an image as it became, or that it is no more. The last line of a ref counts. */
const Line = z.union([
  z.object({ ref: z.string(), machine: SimulatedMachine.nullable() }),
  z.object({ ref: z.string(), image: SimulatedImage }),
])

/** What a farm's file holds. */
export interface Remembered {
  machines: SimulatedMachine[]
  images: SimulatedImage[]
}

/** Spare lines before the file is written anew, so that small farms are not rewritten all the time. */
const spareLines = 1000

export interface FarmWriter {
  /** Resolves once the present state of the machine or image is in the file. Never rejects: a full disk is logged. */
  save(ref: string): Promise<void>
  close(): Promise<void>
}

export const forgetful: FarmWriter = { save: () => Promise.resolve(), close: () => Promise.resolve() }

/**
 * Reads the machines of a farm. A missing file is an empty farm; a damaged one is set aside, logged, and an empty
 * farm too, since nothing real is lost with it. A last line without its end is what a crash leaves, and is cut.
 * @throws Outage `hypervisor_unreachable` when there is a file that cannot be read.
 */
export async function readFarm(path: string, log: Log): Promise<Remembered> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    const detail = `The simulated farm in ${path} cannot be read.`
    throw new Outage('hypervisor_unreachable', detail, { transient: false, cause: error })
  })
  try {
    return fold(text)
  } catch (error) {
    const damaged = `${path}.damaged`
    log.warn({ path, damaged, error: messageOf(error) }, 'simulated farm damaged, starting with an empty one')
    await rename(path, damaged)
    return { machines: [], images: [] }
  }
}

function fold(text: string): Remembered {
  const machines = new Map<string, SimulatedMachine>()
  const images = new Map<string, SimulatedImage>()
  for (const line of text.split('\n').slice(0, -1)) {
    const said = Line.parse(JSON.parse(line))
    machines.delete(said.ref)
    images.delete(said.ref)
    if ('image' in said) images.set(said.ref, said.image)
    else if (said.machine !== null) machines.set(said.ref, said.machine)
  }
  return { machines: [...machines.values()], images: [...images.values()] }
}

/**
 * Keeps a farm in a file of JSON lines. Saves that come while one is being written share the next write. When the
 * file has twice as many lines as machines it is written anew. Nothing is synced: it has to survive the end of our
 * process, not a power cut.
 */
export function farmWriter(path: string, farm: Farm, library: Library, log: Log): FarmWriter {
  const changed = new Set<string>()
  // The first write is of the whole farm: it drops a cut line, and what was folded away.
  let lines = Infinity
  let tail = Promise.resolve()
  let next: Promise<void> | undefined

  function lineOf(ref: string): string {
    const image = library.get(ref)
    return `${JSON.stringify(image === undefined ? { ref, machine: farm.get(ref) ?? null } : { ref, image })}\n`
  }

  async function rewrite(): Promise<void> {
    await mkdir(dirname(path), { recursive: true })
    const refs = [...farm.all(), ...library.all()].map(({ ref }) => ref)
    await writeFile(`${path}.new`, refs.map(lineOf).join(''))
    await rename(`${path}.new`, path)
    lines = refs.length
  }

  async function append(refs: readonly string[]): Promise<void> {
    await appendFile(path, refs.map(lineOf).join(''))
    lines += refs.length
  }

  async function write(): Promise<void> {
    next = undefined
    const refs = [...changed]
    changed.clear()
    try {
      if (lines + refs.length > 2 * (farm.size + library.size) + spareLines) await rewrite()
      else await append(refs)
    } catch (error) {
      // An append that broke off may have left half a line.
      lines = Infinity
      log.warn({ path, error: messageOf(error) }, 'simulated farm not saved')
    }
  }

  return {
    save(ref) {
      changed.add(ref)
      next ??= tail = tail.then(write)
      return next
    },
    close: () => tail,
  }
}
