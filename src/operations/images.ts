import { notFound, refuse } from '../base/errors.ts'
import { enqueue, type Desk } from '../jobs/outbox.ts'
import { ImageName, type LibraryImage, mayUseImage, newImage } from '../machines/image.ts'
import type { Machine } from '../machines/machine.ts'
import type { Request } from '../requests/request.ts'
import type { ReadTransaction } from '../store/store.ts'
import type { Context, ReadContext } from './operation.ts'

/** The image of that name. Those who may not use it learn no more than that there is none for them. */
export async function usableImage(
  { tx, caller }: Pick<ReadContext, 'tx' | 'caller'>,
  name: string,
): Promise<LibraryImage> {
  const image = await tx.images.get(name)
  if (image === undefined || !mayUseImage(caller, image)) throw notFound('image', name)
  return image
}

interface Wish {
  template: string
  cpus?: number | undefined
  memoryGb?: number | undefined
}

/**
 * What is ordered, where it names an image of the library in the place of a template: what the image stems from, at the
 * size of its machine where none is said. A template's name goes before an image's.
 */
export async function fromImage<T extends Wish>(
  { tx, caller, site }: ReadContext,
  wanted: T,
): Promise<T & { image?: string }> {
  if (site.templates.some(({ name }) => name === wanted.template)) return wanted
  const image = await tx.images.get(wanted.template)
  if (image === undefined || image.state === 'failed' || !mayUseImage(caller, image)) return wanted
  const { id, template, cpus, memoryGb } = image
  return { ...wanted, template, image: id, cpus: wanted.cpus ?? cpus, memoryGb: wanted.memoryGb ?? memoryGb }
}

/** @throws Refusal `name_taken`, `bad_name` for what cannot be the name of a new image. */
export async function nameImage({ tx, site }: Pick<Context, 'tx' | 'site'>, id: string): Promise<void> {
  if (!ImageName.safeParse(id).success) {
    refuse(
      'bad_name',
      `"${id}" is not a name for an image: lower-case letters, digits and inner dashes, 2 to 40.`,
    )
  }
  if (site.templates.some(({ name }) => name === id) || (await tx.images.get(id)) !== undefined) {
    refuse('name_taken', `There is an image or a template ${id} already. Choose another name.`)
  }
}

/** Saves an image that is to be made of a machine. @throws Refusal `name_taken`, `bad_name`. */
export async function beginImage(
  context: Context,
  machine: Machine,
  facts: { id: string; use: LibraryImage['use'] },
): Promise<LibraryImage> {
  const { tx, ids, now } = context
  const { id, use } = facts
  await nameImage(context, id)
  const hypervisor = machine.hypervisor ?? ''
  const image = newImage(machine, { id, use, ref: ids.next('img', now), at: now, hypervisor })
  await tx.images.put(image)
  return image
}

/** The first name of a stem that no image and no template has. */
export async function freeImageName(
  { tx, site }: Pick<ReadContext, 'tx' | 'site'>,
  stem: string,
): Promise<string> {
  for (let n = 1; ; n++) {
    const name = n === 1 ? stem : `${stem}-${n}`
    const isTaken = site.templates.some((template) => template.name === name) || (await has(tx, name))
    if (!isTaken) return name
  }
}

async function has(tx: ReadTransaction, name: string): Promise<boolean> {
  return (await tx.images.get(name)) !== undefined
}

/**
 * Takes an image out of the library, and leaves the removal of its disk behind. Harmless twice. One that is still being
 * made is removed after that: jobs on one machine come one after the other.
 */
export async function dropImage(desk: Desk, id: string, by: string): Promise<void> {
  const image = await desk.tx.images.get(id)
  if (image === undefined) return
  await desk.tx.images.remove(id)
  const { ref, hypervisor, state, from } = image
  const subject = state === 'making' && from !== null ? `machine:${from}` : `image:${ref}`
  await enqueue(desk, 'remove-image', { image: id, ref, hypervisor }, { subject, by })
}

/** An image that was made for a request alone goes with it, once it was carried out or came to nothing. */
export async function dropCopies(
  desk: Desk,
  { ask, requester }: Pick<Request, 'ask' | 'requester'>,
): Promise<void> {
  const used = ask.kind === 'machines' ? [ask.image, ask.data] : []
  for (const id of used) {
    const image = id === undefined ? undefined : await desk.tx.images.get(id)
    if (image?.use === 'copies') await dropImage(desk, image.id, requester)
  }
}
