import { z } from 'zod'
import { Outage } from '../../base/errors.ts'
import type { Hypervisor } from '../hypervisor.ts'
import { hypervisorUnreachable, refused } from '../outages.ts'
import { formatOf, inGb, partialOf } from '../powershell/disk-files.ts'
import type { Farm } from './farm.ts'
import { type Found } from './machine.ts'
import { Disks, imagePath } from './places.ts'
import { scripts } from './scripts.ts'

type Keeping = Pick<
  Hypervisor,
  'snapshot' | 'revert' | 'forget' | 'capture' | 'images' | 'removeImage' | 'exportImage' | 'importImage'
>

const Checkpoints = z.array(z.strictObject({ id: z.guid(), name: z.string(), taken: z.iso.datetime() }))

const ImageFiles = z.array(z.strictObject({ file: z.string(), bytes: z.number() }))

export function checkpointsOf(farm: Farm, { host, id }: Found, signal: AbortSignal) {
  return farm.ask(host, scripts.checkpoints, { id }, { answer: Checkpoints, signal })
}

/** Checkpoints of machines, and the library: a folder of disks that every host sees. */
export function keeping(farm: Farm): Keeping {
  return { ...checkpoints(farm), ...library(farm) }
}

function checkpoints(farm: Farm): Pick<Hypervisor, 'snapshot' | 'revert' | 'forget'> {
  async function named(ref: string, name: string, signal: AbortSignal) {
    const machine = await farm.settled(ref, signal)
    const all = await checkpointsOf(farm, machine, signal)
    return { machine, checkpoint: all.find((one) => one.name === name) }
  }

  return {
    async snapshot(ref, name, signal) {
      const { machine, checkpoint } = await named(ref, name, signal)
      if (checkpoint !== undefined) return
      await farm.tell(machine.host, scripts.checkpoint, { id: machine.id, name }, signal)
    },
    async revert(ref, name, signal) {
      const { machine, checkpoint } = await named(ref, name, signal)
      if (checkpoint === undefined) throw refused(`Machine ${ref} has no snapshot ${name}.`)
      await farm.tell(machine.host, scripts.restore, { checkpoint: checkpoint.id }, signal)
      // What was running then has its memory in the checkpoint, and is saved after it was gone back to.
      const after = await farm.look(ref, signal)
      if (after.power !== 'saved') return
      await farm.tell(after.host, scripts.start, { id: after.id }, signal)
    },
    async forget(ref, name, signal) {
      const { machine, checkpoint } = await named(ref, name, signal)
      if (checkpoint === undefined) return
      await farm.tell(machine.host, scripts.forget, { checkpoint: checkpoint.id }, signal)
    },
  }
}

type Library = Pick<Hypervisor, 'capture' | 'images' | 'removeImage' | 'exportImage' | 'importImage'>

function library(farm: Farm): Library {
  const { rule } = farm
  const folder = imagePath(rule, 'x').replace(/\\x\.vhdx$/, '')

  async function exists(host: string, path: string, signal: AbortSignal): Promise<boolean> {
    return farm.ask(host, scripts.exists, { path }, { answer: z.boolean(), signal })
  }

  async function copy(host: string, job: Copy, signal: AbortSignal): Promise<void> {
    const { source, path, tool = '', check = false, from = '', to = '' } = job
    const into = path.replace(/[\\/][^\\/]+$/, '')
    const parameters = { folder: into, source, path, partial: partialOf(path), ...{ tool, check, from, to } }
    await farm.tell(host, scripts.copyDisk, parameters, signal)
  }

  return {
    async capture(ref, image, signal) {
      const path = imagePath(rule, image)
      const { id, host, state, power } = await farm.settled(ref, signal)
      if (power !== 'stopped') throw refused(`Machine ${ref} is ${state}: only a stopped one is captured.`)
      const [disk] = await farm.ask(host, scripts.disks, { id }, { answer: Disks, signal })
      if (disk === undefined) throw refused(`Machine ${ref} has no disk.`)
      await copy(host, { source: disk.path, path }, signal)
    },
    async images(signal) {
      const files = await anywhere(farm, signal, (host) =>
        farm.ask(host, scripts.images, { folder }, { answer: ImageFiles, signal }),
      )
      return files
        .filter(({ file }) => /\.vhdx$/i.test(file) && !/\.partial\.vhdx$/i.test(file))
        .map(({ file, bytes }) => ({ ref: file.replace(/\.vhdx$/i, ''), sizeGb: inGb(bytes) }))
    },
    async removeImage(image, signal) {
      const path = imagePath(rule, image)
      await anywhere(farm, signal, (host) => farm.tell(host, scripts.deleteFile, { path }, signal))
    },
    async exportImage(image, file, signal) {
      const [source, to] = [imagePath(rule, image), formatOf(file)]
      await anywhere(farm, signal, async (host) => {
        if (!(await exists(host, source, signal))) throw refused(`The library has no image ${image}.`)
        if (await exists(host, file, signal)) throw refused(`There is a file ${file} already.`)
        await copy(host, { source, path: file, ...converter(to, 'vhdx', to) }, signal)
      })
    },
    async importImage(file, image, signal) {
      const [path, from] = [imagePath(rule, image), formatOf(file)]
      await anywhere(farm, signal, async (host) => {
        if (!(await exists(host, file, signal))) throw refused(`Host ${host} sees no file ${file}.`)
        await copy(host, { source: file, path, check: true, ...converter(from, from, 'vhdx') }, signal)
      })
    },
  }

  /** Hyper-V converts its own two formats; anything else needs qemu-img. */
  function converter(format: string, from: string, to: string): Partial<Copy> {
    if (format !== 'qcow2') return {}
    if (rule.qemuImg === undefined) {
      throw refused('Hyper-V does not know .qcow2. Take .vhdx, or name qemuImg in the site’s file.')
    }
    return { tool: rule.qemuImg, from, to }
  }
}

interface Copy {
  source: string
  path: string
  check?: boolean
  /** The program that converts, in place of Hyper-V. */
  tool?: string
  from?: string
  to?: string
}

/** Does something on the first host that answers. @throws Outage `hypervisor_unreachable` when none does. */
async function anywhere<T>(farm: Farm, signal: AbortSignal, work: (host: string) => Promise<T>): Promise<T> {
  let cause: unknown
  for (const { rule } of farm.sites) {
    signal.throwIfAborted()
    try {
      return await work(rule.name)
    } catch (error) {
      if (!(error instanceof Outage) || error.code !== 'host_unreachable') throw error
      cause = error
    }
  }
  throw hypervisorUnreachable(farm.rule.name, cause)
}
