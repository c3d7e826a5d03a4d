import { z } from 'zod'
import { refuse } from '../base/errors.ts'
import { findDisk } from '../jobs/disk-folder.ts'
import { libraryOf } from '../jobs/library.ts'
import { enqueue } from '../jobs/outbox.ts'
import { DiskFileName } from '../machines/disk-file.ts'
import { newImport } from '../machines/image.ts'
import { OfField, whoseFiles } from './disk-files.ts'
import { freeImageName, nameImage } from './images.ts'
import { change } from './operation.ts'
import { templateNamed } from './order.ts'
import { anybody } from './rules.ts'
import { text } from './shapes/fields.ts'
import type { Site } from './site.ts'

export const importDisk = change({
  name: 'import-disk',
  summary:
    'Take a file of a disk (qcow2, VHD, VHDX) into the library. Machines can be asked for with it then.',
  http: { method: 'POST', path: '/images/import', status: () => 202 },
  input: z.object({
    file: DiskFileName,
    /** Whose file; yours where it is not said. */
    of: OfField,
    /** What the image is to be called; a name is found where none is said. */
    image: text(40).optional(),
    /** What says which system is on it, and how large its machines may be. */
    template: text(40).optional(),
    hypervisor: text(40).optional(),
  }),
  output: z.object({ job: z.string(), image: z.string() }),
  subject: (_input, answer) => (answer === undefined ? null : `image:${answer.image}`),
  allow: anybody,
  ask: ({ site }, { file, of }, caller) => findDisk(libraryOf(site).folder, whoseFiles(caller, of), file),
  async run(context, { file, of, image, template, hypervisor }) {
    const { tx, ids, now, caller, site } = context
    const rule = templateNamed(site, template ?? importTemplate(site))
    const where = hypervisorFor(site, hypervisor)
    const id = image ?? (await freeImageName(context, stemOf(file)))
    await nameImage(context, id)
    const ref = ids.next('img', now)
    const facts = { id, ref, owner: caller.user, at: now, hypervisor: where }
    await tx.images.put(newImport(rule, facts))
    const input = { image: id, ref, hypervisor: where, file, user: whoseFiles(caller, of) }
    const job = await enqueue(context, 'import-disk', input, { subject: `image:${ref}`, by: caller.user })
    return { job: job.id, image: id }
  },
})

function importTemplate({ templates }: Site): string {
  const [only, ...others] = templates.filter(({ kind }) => kind === 'import')
  if (only !== undefined && others.length === 0) return only.name
  const names = templates.map(({ name }) => name)
  return refuse('unknown_template', 'Say which template has the same system as the disk.', {
    suggestions: names,
  })
}

function hypervisorFor({ hypervisors }: Site, wanted: string | undefined): string {
  const names = hypervisors.map(({ name }) => name)
  const name = wanted ?? names[0]
  if (name !== undefined && names.includes(name)) return name
  return refuse('not_found', `There is no hypervisor ${wanted ?? ''}. There is ${names.join(', ')}.`)
}

/** A name for an image, made from that of a file. */
function stemOf(file: string): string {
  const stem = file
    .toLowerCase()
    .replace(/\.[a-z0-9]+$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 30)
  return stem.length < 2 ? 'disk' : stem.replace(/-+$/, '')
}
