import { z } from 'zod'
import { refuse } from '../base/errors.ts'
import { listDisks } from '../jobs/disk-folder.ts'
import { libraryOf } from '../jobs/library.ts'
import { enqueue } from '../jobs/outbox.ts'
import { DiskFileName, diskFormats } from '../machines/disk-file.ts'
import { fileTaken } from './disk-files.ts'
import { usableImage } from './images.ts'
import { change } from './operation.ts'
import { anybody } from './rules.ts'
import { text } from './shapes/fields.ts'

export const exportImage = change({
  name: 'export-image',
  summary: 'Write an image of the library to a file of yours, which you can fetch.',
  http: { method: 'POST', path: '/images/{name}/export', status: () => 202 },
  input: z.object({
    name: text(40),
    /** What the file is to be called, which also says its format; after the image where it is not said. */
    file: DiskFileName.optional(),
    format: z.enum(diskFormats).default('qcow2').optional(),
  }),
  output: z.object({ job: z.string(), file: z.string() }),
  subject: ({ name }) => `image:${name}`,
  allow: anybody,
  ask: ({ site }, _input, caller) => listDisks(libraryOf(site).folder, caller.user),
  async run(context, { name, file: wanted, format = 'qcow2' }, there) {
    const image = await usableImage(context, name)
    if (image.state === 'making') refuse('busy', `${name} is still being made. Wait until that is done.`)
    if (image.state === 'failed')
      refuse('wrong_state', `${name} could not be made, so there is nothing in it.`)
    const file = wanted ?? `${name}.${format}`
    if (there.some((known) => known.name === file)) throw fileTaken(file)
    const user = context.caller.user
    const input = { image: name, ref: image.ref, hypervisor: image.hypervisor, file, user }
    const job = await enqueue(context, 'export-image', input, { subject: `image:${image.ref}`, by: user })
    return { job: job.id, file }
  },
})
