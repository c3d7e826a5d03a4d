import { z } from 'zod'

/**
 * What we write down beside a machine, in its description: a rollback leaves that alone, so it holds what a rollback must
 * not undo. The tags say whose machine it is, since lists have those and not the description.
 */
const Note = z.object({
  ref: z.string(),
  /** Absent while it is being made. */
  made: z.boolean().default(false),
  /** Whether there is a clean copy to go back to; absent before it was tried. */
  clean: z.boolean().optional(),
  os: z.enum(['linux', 'windows', 'other']),
  name: z.string(),
  cpus: z.number().int().positive(),
  memoryGb: z.number().positive(),
  /** The image it was made from. */
  image: z.string().optional(),
})
export type Note = z.infer<typeof Note>

const lead = 'jackdaw: '

/** The description of a machine: a line for people, and ours. */
export function describe(note: Note): string {
  return `${note.name} is looked after by Jackdaw. The next line is its own, please leave it.\n${lead}${JSON.stringify(note)}`
}

/** What we have written down, if the description still says it. */
export function noteIn(description: string | undefined): Note | undefined {
  const line = (description ?? '').split('\n').find((text) => text.startsWith(lead))
  if (line === undefined) return undefined
  try {
    const parsed = Note.safeParse(JSON.parse(line.slice(lead.length)))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

const mark = 'jackdaw'
const osLead = 'jackdaw-os-'
export const goneTag = 'jackdaw-gone'

/**
 * The number of the machine is part of the tag that names it: a copy that somebody makes by hand bears the same tags,
 * and must not be taken for the original.
 */
const leadOf = (kind: 'ref' | 'image', vmid: number) => `${mark}-${kind}-${vmid}-`

/** Tags as a set; they come parted by semicolons, commas or spaces. */
export function tagsIn(text: string | undefined): string[] {
  return (text ?? '').split(/[;, ]+/).filter((tag) => tag !== '')
}

/** The ref of the machine or the image that a VM is, by its tags. */
export function namedIn(kind: 'ref' | 'image', tags: readonly string[], vmid: number): string | undefined {
  const lead = leadOf(kind, vmid)
  return tags.find((tag) => tag.startsWith(lead))?.slice(lead.length)
}

export function osIn(tags: readonly string[]): string | undefined {
  return tags.find((tag) => tag.startsWith(osLead))?.slice(osLead.length)
}

/** The tags of a VM of ours. Those that its template has are kept, save for what they say of us. */
export function tagsOf(
  kind: 'ref' | 'image',
  named: { ref: string; vmid: number; os: string },
  existing: readonly string[],
): string {
  const foreign = existing.filter((tag) => !tag.startsWith(mark))
  return [...foreign, mark, `${leadOf(kind, named.vmid)}${named.ref}`, `${osLead}${named.os}`].join(';')
}

/** What a machine or an image is called until it bears our tags, so that it is found when we were cut off there. */
export function workingName(kind: 'machine' | 'image' | 'export', ref: string): string {
  return `jackdaw-making-${kind}-${ref}`
}

/** What is made on the way to something else is nobody's machine. */
export function isMakeshift(name: string | undefined): boolean {
  return name?.startsWith('jackdaw-making-') === true && refOfWorkingName(name) === undefined
}

export function refOfWorkingName(name: string | undefined): string | undefined {
  const lead = workingName('machine', '')
  return name?.startsWith(lead) === true ? name.slice(lead.length) : undefined
}
