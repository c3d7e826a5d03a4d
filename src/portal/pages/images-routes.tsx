import type { Refusal } from '../../base/errors.ts'
import { listDiskFiles, removeDiskFile } from '../../operations/disk-files.ts'
import { exportImage } from '../../operations/export-image.ts'
import { importDisk } from '../../operations/import-disk.ts'
import { listImages } from '../../operations/list-images.ts'
import { listTemplates } from '../../operations/list-templates.ts'
import { removeImage } from '../../operations/remove-image.ts'
import { assetUrl } from '../assets.ts'
import type { Pages } from '../serve.tsx'
import { type Answer, attempt, filled, type Visit } from '../visit.ts'
import { ConfirmRemoval, ImagesPage, type ImagesProps } from './images.tsx'

export function imagePages(pages: Pages): void {
  pages.get('/library', (visit) => page(visit))
  pages.post('/library/import', (visit) => {
    const wish = filled(visit.form, 'image', 'template', 'hypervisor')
    const file = visit.form.get('file') ?? ''
    return then(visit, 'import', () => visit.perform(importDisk, { file, ...wish }))
  })
  pages.post('/library/:name/export', (visit) => {
    const format = formatOf(visit.form.get('format'))
    return then(visit, 'export', () => visit.perform(exportImage, { name: visit.param('name'), format }))
  })
  pages.get('/library/:what/:name/delete', async (visit) => {
    const { what, name } = thingOf(visit)
    return { title: `Delete ${name}?`, current: '/library', body: <ConfirmRemoval what={what} name={name} /> }
  })
  pages.post('/library/:what/:name/delete', (visit) => {
    const { what, name } = thingOf(visit)
    const remove = async (): Promise<unknown> =>
      what === 'image' ? visit.perform(removeImage, { name }) : visit.perform(removeDiskFile, { name })
    return then(visit, 'delete', remove)
  })
}

function thingOf(visit: Visit): { what: 'image' | 'file'; name: string } {
  return { what: visit.param('what') === 'image' ? 'image' : 'file', name: visit.param('name') }
}

function formatOf(text: string | undefined): 'qcow2' | 'vhd' | 'vhdx' {
  return text === 'vhd' || text === 'vhdx' ? text : 'qcow2'
}

const doneWords = {
  import: 'It is being taken in: copied, checked and converted.',
  export: 'It is being written. It is among your files once it is whole.',
  delete: 'It is being deleted.',
  upload: 'The file is here.',
} as const

function isDone(text: string): text is keyof typeof doneWords {
  return text in doneWords
}

async function propsOf(visit: Visit): Promise<ImagesProps> {
  const { library, hypervisors, timezone } = visit.site
  const [images, templates, files] = await Promise.all([
    visit.perform(listImages, { limit: 200 }),
    visit.perform(listTemplates, {}),
    library === null ? null : visit.perform(listDiskFiles, {}),
  ])
  const done = visit.query.get('done') ?? ''
  return {
    images: images.items,
    files: files?.items ?? null,
    templates: templates.items,
    hypervisors: hypervisors.map(({ name }) => name),
    moment: { now: visit.now, zone: timezone },
    typed: visit.form,
    done: isDone(done) ? doneWords[done] : undefined,
  }
}

async function page(visit: Visit, refusal?: Refusal): Promise<Answer> {
  const props = await propsOf(visit)
  const body = <ImagesPage {...props} refusal={refusal} />
  const script = props.files === null ? {} : { module: assetUrl('upload.js') }
  return { title: 'Library', current: '/library', body, status: refusal?.status ?? 200, ...script }
}

async function then(visit: Visit, done: string, work: () => Promise<unknown>): Promise<Answer> {
  const outcome = await attempt(work)
  return 'refusal' in outcome ? page(visit, outcome.refusal) : { redirect: `/library?done=${done}` }
}
