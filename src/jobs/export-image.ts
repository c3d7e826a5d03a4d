import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { refuse } from '../base/errors.ts'
import { dropDisk, handDisk, workPath } from './disk-folder.ts'
import { deskOf, hypervisorNamed } from './facts.ts'
import { libraryOf } from './library.ts'
import { removeLeftover } from './remove-disk.ts'
import type { Trade } from './trade.ts'

const [writing, handing] = ['writing the file', 'putting it into your folder'] as const

/** Writes an image to a file of whoever asked. Half a file is never seen: it gets its name once it is whole. */
export const exportImage: Trade<'export-image'> = {
  kind: 'export-image',
  deadlineMillis: 4 * 60 * 60_000,
  attempts: 3,
  async run(work) {
    const { image, ref, hypervisor, file, user } = work.job.input
    const { folder } = libraryOf(work.site)
    const driver = hypervisorNamed(work, hypervisor, `image ${image}`)
    const path = workPath(folder, fileOf(work.job))
    await work.plan([writing, handing])
    await work.stage(writing, async () => {
      await mkdir(dirname(path), { recursive: true, mode: 0o770 })
      // What an earlier run left is not whole.
      await dropDisk(path)
      await driver.exportImage(ref, path, work.signal)
    })
    await work.stage(handing, async () => {
      if ((await handDisk(path, { library: folder, user, name: file })) === 'handed') return
      refuse('already_exists', `You have a file ${file} already. Delete it, or choose another name.`)
    })
  },
  async failed(tx, job, _why, tools) {
    await removeLeftover(deskOf(tools, tx), fileOf(job), job.by)
  },
}

/** Of its own for each job, so that two that write under one name do not meet. */
function fileOf({ id, input }: { id: string; input: { file: string } }): string {
  return `${id}-${input.file}`
}
