import { z } from 'zod'
import { Refusal, refuse } from '../base/errors.ts'
import { list } from '../base/text.ts'
import type { Template } from './template.ts'

/** An empty disk, and what it is filled from: a disc by its name, or the network (PXE) where it is null. */
export interface Blank {
  diskGb: number
  disc: string | null
}

/** What may be said of a disk that is to be empty. `network` is no name of a disc. */
export const BlankFields = {
  diskGb: z.coerce.number().int().min(1).max(65_536),
  boot: z
    .string()
    .trim()
    .toLowerCase()
    .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'network, or the name of a disc'),
}

const usualGb = { default: 20, max: 1024 }

/**
 * The empty disk of a new machine; nothing for a template that has a disk of its own.
 * @param discs the discs that hypervisors of the site have
 * @throws Refusal `bad_size`, `not_found` for a disc that is none, `invalid_input` for a disk that is not empty.
 */
export function blankFor(
  template: Pick<Template, 'name' | 'kind' | 'diskGb'>,
  wish: { diskGb?: number | undefined; boot?: string | undefined },
  discs: readonly string[],
): Blank | undefined {
  const { diskGb, boot = 'network' } = wish
  if (template.kind !== 'empty') {
    if (diskGb === undefined && wish.boot === undefined) return undefined
    return refuse(
      'invalid_input',
      `${template.name} has a disk of its own. Leave out its size and what it boots from.`,
    )
  }
  const range = template.diskGb ?? usualGb
  const size = diskGb ?? range.default
  if (size > range.max) {
    throw new Refusal(
      'bad_size',
      `A disk of ${template.name} has at most ${range.max} GB, and ${size} were asked for.`,
      {
        errors: [{ path: 'diskGb', message: `a whole number from 1 to ${range.max} GB` }],
      },
    )
  }
  if (boot === 'network') return { diskGb: size, disc: null }
  if (discs.includes(boot)) return { diskGb: size, disc: boot }
  const known = list(['network', ...discs])
  throw new Refusal('not_found', `There is no disc ${boot}. It can boot from ${known}.`, {
    errors: [{ path: 'boot', message: `one of ${known}` }],
    suggestions: ['network', ...discs],
  })
}

/** An empty disk as people and programs see it. */
export function blankView(blank: Blank | undefined): { gb: number; boot: string } | null {
  return blank === undefined ? null : { gb: blank.diskGb, boot: blank.disc ?? 'network' }
}

/** An empty disk in a few words; none for a disk that is not. */
export function blankWords(disk: ReturnType<typeof blankView> | undefined): string {
  if (disk === null || disk === undefined) return ''
  return `an empty disk of ${disk.gb} GB that boots from ${disk.boot === 'network' ? 'the network' : `disc ${disk.boot}`}`
}
