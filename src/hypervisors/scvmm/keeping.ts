import { z } from 'zod'
import type { Hypervisor } from '../hypervisor.ts'
import { refused } from '../outages.ts'
import { partialOf, formatOf, inGb } from '../powershell/disk-files.ts'
import type { Centre, Kept } from './centre.ts'
import { clean, imageName } from './names.ts'
import { scripts } from './scripts.ts'

const Checkpoints = z.array(z.strictObject({ id: z.guid(), name: z.string(), taken: z.iso.datetime() }))

const Images = z.array(z.strictObject({ name: z.string(), bytes: z.number() }))

export function checkpointsOf(centre: Centre, { id }: Kept, signal: AbortSignal) {
  return centre.ask(scripts.checkpoints, { id }, { answer: Checkpoints, signal })
}

/** Checkpoints of machines, but for the one that they are set back to. */
export function checkpoints(centre: Centre): Pick<Hypervisor, 'snapshot' | 'revert' | 'forget'> {
  async function named(ref: string, name: string, signal: AbortSignal) {
    if (name === clean) throw refused(`${clean} is not the name of a snapshot.`)
    const machine = await centre.settled(ref, signal)
    const all = await checkpointsOf(centre, machine, signal)
    return { id: machine.id, checkpoint: all.find((one) => one.name === name)?.id }
  }

  return {
    async snapshot(ref, name, signal) {
      const { id, checkpoint } = await named(ref, name, signal)
      if (checkpoint === undefined) await centre.tell(scripts.checkpoint, { id, name }, signal)
    },
    async revert(ref, name, signal) {
      const { id, checkpoint } = await named(ref, name, signal)
      if (checkpoint === undefined) throw refused(`Machine ${ref} has no snapshot ${name}.`)
      await centre.tell(scripts.restore, { id, checkpoint }, signal)
      // What was running then has its memory in the checkpoint, and is saved after it was gone back to.
      const after = await centre.look(ref, signal)
      if (after.power === 'saved') await centre.tell(scripts.start, { id }, signal)
    },
    async forget(ref, name, signal) {
      const { id, checkpoint } = await named(ref, name, signal)
      if (checkpoint !== undefined) await centre.tell(scripts.forget, { id, checkpoint }, signal)
    },
  }
}

type Library = Pick<Hypervisor, 'capture' | 'images' | 'removeImage' | 'exportImage' | 'importImage'>

/** VMM's library: an image of a machine is a machine stored in it, one that came in is a disk. */
export function library(centre: Centre): Library {
  const { rule } = centre
  const exists = (path: string, signal: AbortSignal) =>
    centre.ask(scripts.exists, { path }, { answer: z.boolean(), signal })

  return {
    async capture(ref, image, signal) {
      const name = imageName(image)
      const { id, power, state } = await centre.settled(ref, signal)
      if (power !== 'stopped') throw refused(`Machine ${ref} is ${state}: only a stopped one is captured.`)
      const { server, share } = rule.library
      await centre.tell(scripts.capture, { id, image: name, library: server, share }, signal)
    },
    async images(signal) {
      signal.throwIfAborted()
      const all = await centre.ask(scripts.images, {}, { answer: Images, signal })
      return all.flatMap(({ name, bytes }) => {
        const ref = /^jackdaw-image-([\w-]+?)(?:\.vhdx)?$/.exec(name)?.[1]
        return ref === undefined ? [] : [{ ref, sizeGb: inGb(bytes) }]
      })
    },
    async removeImage(image, signal) {
      await centre.tell(scripts.removeImage, { image: imageName(image) }, signal)
    },
    async exportImage(image, file, signal) {
      const to = formatOf(file)
      const answer = { answer: z.string().nullable(), signal }
      const source = await centre.ask(scripts.imageFile, { image: imageName(image) }, answer)
      if (source === null) throw refused(`The library has no image ${image}.`)
      if (await exists(file, signal)) throw refused(`There is a file ${file} already.`)
      const tool = to === 'vhdx' ? '' : toolFor(file)
      await copy({ source, path: file, tool, from: 'vhdx', to: named(to), share: '' }, signal)
    },
    async importImage(file, image, signal) {
      const from = formatOf(file)
      const path = `${rule.library.folder}\\${imageName(image)}.vhdx`
      if (!(await exists(file, signal))) throw refused(`The server of ${rule.name} sees no file ${file}.`)
      const how = { tool: toolFor(file), from: named(from), to: 'vhdx', share: rule.library.share }
      await copy({ source: file, path, ...how }, signal)
    },
  }

  async function copy(
    job: { source: string; path: string; tool: string; from: string; to: string; share: string },
    signal: AbortSignal,
  ): Promise<void> {
    await centre.tell(scripts.copyFile, { ...job, partial: partialOf(job.path) }, signal)
  }

  /** It reads every block of what it converts, which is the proof that a disk is whole. */
  function toolFor(file: string): string {
    if (rule.qemuImg !== undefined) return rule.qemuImg
    throw refused(`VMM itself cannot check or convert ${file}. Name qemuImg in the site's file.`)
  }
}

/** qemu-img's word for a format. */
function named(format: string): string {
  return format === 'vhd' ? 'vpc' : format
}
