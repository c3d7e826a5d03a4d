import { z } from 'zod'
import { hasRole } from '../identity/person.ts'
import { type LibraryImage, mayUseImage } from '../machines/image.ts'
import { pageOf } from './paging.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { InstantShape, Paging } from './shapes/fields.ts'

export const ImageShape = z.object({
  name: z.string(),
  state: z.enum(['making', 'ready', 'failed']),
  /** Why it could not be taken in. */
  failure: z.string().nullable(),
  /** `archive` holds a machine that was put away, `copies` serves one request. */
  use: z.enum(['image', 'copies', 'archive']),
  from: z.string().nullable(),
  template: z.string(),
  os: z.string(),
  cpus: z.number(),
  memoryGb: z.number(),
  owner: z.string().nullable(),
  sizeGb: z.number().nullable(),
  createdAt: InstantShape,
})
export type ImageView = z.infer<typeof ImageShape>

export const listImages = query({
  name: 'list-images',
  summary: 'List the images of the library that you may make machines of.',
  http: { method: 'GET', path: '/images' },
  input: z.object({ ...Paging }),
  output: z.object({ items: z.array(ImageShape), next: z.string().nullable() }),
  allow: anybody,
  async run({ tx, caller }, { limit = 50, cursor }) {
    const keep = (image: LibraryImage) => mayUseImage(caller, image) || hasRole(caller, 'auditor')
    const page = await pageOf(tx.images, { limit, cursor, order: ({ id }) => id }, keep)
    return { items: page.items.map(imageView), next: page.next }
  },
})

export function imageView(image: LibraryImage): ImageView {
  const { id: name, state, use, from, template, os, cpus, memoryGb, owner, sizeGb, createdAt } = image
  return {
    failure: image.failure ?? null,
    name,
    state,
    use,
    from,
    template,
    os,
    cpus,
    memoryGb,
    owner,
    sizeGb,
    createdAt,
  }
}
