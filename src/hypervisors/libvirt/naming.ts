import { createHash } from 'node:crypto'
import { z } from 'zod'
import { refused } from '../outages.ts'

/** One of libvirt's domains as it is listed. */
export interface DomainId {
  uuid: string
  name: string
}

const refPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The UUID of the domain of a machine: always the same for a ref (RFC 9562 §5.8). What others made is known by its own.
 * @throws Outage `hypervisor_refused` for a ref that could not stand in a path.
 */
export function uuidOf(ref: string): string {
  if (uuidPattern.test(ref)) return ref
  checkRef(ref)
  const hex = createHash('sha256').update(`jackdaw machine ${ref}`).digest('hex')
  const variant = ((parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-')
}

/** Refs are parts of paths. */
export function checkRef(ref: string): string {
  if (!refPattern.test(ref)) throw refused('A ref is of letters, digits, dashes and underscores.')
  return ref
}

/** The domain's name: what people call the machine, and its ref, since names are used again. */
export function domainName({ name, ref }: { name: string; ref: string }): string {
  return `${name}.${checkRef(ref)}`
}

/** The ref in a name that we gave, or the UUID of what others made. */
export function refOf({ uuid, name }: DomainId): string {
  const ref = refOfName(name)
  return ref !== undefined && uuidOf(ref) === uuid ? ref : uuid
}

/** The ref that a name of ours ends with. */
export function refOfName(name: string): string | undefined {
  const ref = name.slice(name.lastIndexOf('.') + 1)
  return ref !== name && refPattern.test(ref) ? ref : undefined
}

/** What is kept with a domain about the machine, in libvirt's metadata. */
const Kept = z.object({
  ref: z.string(),
  name: z.string(),
  template: z.string(),
  os: z.enum(['linux', 'windows', 'other']),
  mac: z.string(),
  administrators: z.array(z.object({ user: z.string(), keys: z.array(z.string()) })),
  image: z.string().optional(),
  data: z.string().optional(),
  blank: z.object({ diskGb: z.number(), disc: z.string().nullable() }).optional(),
  isolated: z.boolean().optional(),
  /** How many of the stages of making it are done. */
  made: z.number(),
})
export type Kept = z.infer<typeof Kept>

/** The name of our element in a domain's metadata, and of the one that lasts as long as it runs. */
export const machineSpace = 'urn:jackdaw:machine'
export const runSpace = 'urn:jackdaw:run'

/** As JSON in ASCII, so that nothing on the way has an encoding to get wrong. */
export function keptText(kept: Kept): string {
  return JSON.stringify(Kept.parse(kept)).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** What `virsh metadata` printed; nothing where it is not ours. */
export function parseKept(printed: string): Kept | undefined {
  const [, json] = /^<machine>([^<]*)<\/machine>$/.exec(printed.trim()) ?? []
  if (json === undefined) return undefined
  const parsed = Kept.safeParse(fromJson(unescaped(json)))
  return parsed.success ? parsed.data : undefined
}

/** The five entities of XML 1.0 §4.6, which is all that libvirt writes for what we gave it. */
export function unescaped(text: string): string {
  const entities = new Map([
    ['lt', '<'],
    ['gt', '>'],
    ['quot', '"'],
    ['apos', "'"],
    ['amp', '&'],
  ])
  return text.replace(/&(\w+);/g, (whole, name: string) => entities.get(name) ?? whole)
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
