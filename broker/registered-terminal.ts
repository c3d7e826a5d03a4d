import { isIP } from 'node:net'
import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import type { Instant } from '../src/base/clock.ts'
import { messageOf } from '../src/base/errors.ts'
import { hasControl } from '../src/base/text.ts'
import { canonicalAddress, canonicalMac, type TerminalRule } from './terminal.ts'

/**
 * `enrolled` by an operator, `filed` in the site's file, or `waiting` for somebody to say what it is; `denied` once somebody
 * has said that it is none of the site's: then nobody is asked again.
 */
export type TerminalStanding = 'enrolled' | 'filed' | 'waiting' | 'denied'

/** A device as the site knows it, and when it was last seen. */
export interface Terminal {
  /** Its name, in small letters; of one that waits, `?` and its MAC or address. */
  id: string
  standing: TerminalStanding
  kind: TerminalRule['kind']
  mac: string | null
  address: string | null
  /** The port of the router that is its own. */
  port: number | null
  pool: string | null
  /** Whose it is, where it stands on somebody's desk. */
  owner: string | null
  location: string | null
  /** Who enrolled it. */
  by: string | null
  createdAt: Instant
  lastSeenAt: Instant | null
  /** The last thing that an operator sent it. */
  order: TerminalOrder | null
}

/** Something for whoever sits there to read or for the terminal to do. */
export interface TerminalOrder {
  id: string
  kind: 'message' | 'reconnect' | 'log-off'
  text: string | null
  by: string
  at: Instant
}

const kinds = ['jackpc', 'thinstation', 'wyse', 'igel', 'browser', 'other'] as const

const line = (most: number) =>
  z
    .string()
    .trim()
    .max(most)
    .refine((text) => !hasControl(text), 'one line of text')

/** What an operator says of a device. */
export const TerminalFields = z.object({
  name: z
    .string()
    .trim()
    .toLowerCase()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name such as lobby-1: letters, digits and dashes'),
  kind: z.enum(kinds).default('other'),
  mac: z
    .string()
    .transform((text, context) => {
      const mac = canonicalMac(text.trim())
      if (mac !== null) return mac
      context.addIssue({ code: 'custom', message: 'a MAC address such as 00:0b:3c:00:00:11' })
      return z.NEVER
    })
    .optional(),
  address: z
    .string()
    .trim()
    .refine((text) => isIP(text) !== 0, 'an IP address')
    .transform(canonicalAddress)
    .optional(),
  port: z.coerce.number().int().min(1).max(65_535).optional(),
  pool: z.string().trim().max(40).optional(),
  owner: z.string().trim().toLowerCase().max(100).optional(),
  location: line(80).optional(),
})
export type TerminalFields = z.infer<typeof TerminalFields>

/** A device that somebody enrols. */
export function enrolled(fields: TerminalFields, by: string, at: Instant, known?: Terminal): Terminal {
  const { name, kind, mac, address, port, pool, owner, location } = fields
  return {
    id: name,
    standing: 'enrolled',
    kind,
    mac: mac ?? null,
    address: address ?? null,
    port: port ?? null,
    pool: pool ?? null,
    owner: owner ?? null,
    location: location ?? null,
    by,
    createdAt: known?.createdAt ?? at,
    lastSeenAt: known?.lastSeenAt ?? null,
    order: null,
  }
}

/** A device of the registry as if it stood in the site's file. */
export function asRule({ id, kind, mac, address, port, pool, location }: Terminal): TerminalRule {
  return {
    ...{ name: id, kind },
    ...(mac === null ? {} : { mac }),
    ...(address === null ? {} : { address }),
    ...(port === null ? {} : { port }),
    ...(pool === null ? {} : { pool }),
    ...(location === null ? {} : { location }),
  }
}

/** A device of the site's file, with what was seen of it. */
export function filed(rule: TerminalRule, seen: Terminal | undefined, at: Instant): Terminal {
  const { name, kind, mac, address, port, pool, location } = rule
  return {
    ...enrolled({ name, kind, mac, address, port, pool, location }, '', at, seen),
    standing: 'filed',
    by: null,
    order: seen?.order ?? null,
  }
}

export interface TerminalRow {
  line: number
  fields: TerminalFields
}

/** The most lines of one list. */
const mostRows = 5_000

/**
 * A list of devices as CSV, keyed by MAC: columns `mac` and `name`, and as it has them `kind`, `address`, `port`, `pool`,
 * `owner`, `location`. Lines that cannot be taken are given back with the reason.
 */
export function readTerminals(csv: string): {
  rows: TerminalRow[]
  refused: { line: number; reason: string }[]
} {
  const rows: TerminalRow[] = []
  const refused: { line: number; reason: string }[] = []
  for (const { line: at, values } of records(csv, refused)) {
    const filled = Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim() !== ''))
    const parsed = TerminalFields.required({ mac: true }).safeParse(filled)
    if (parsed.success) rows.push({ line: at, fields: parsed.data })
    else {
      const [issue] = parsed.error.issues
      refused.push({ line: at, reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}` })
    }
  }
  return { rows, refused }
}

const Records = z.array(
  z.object({ record: z.record(z.string(), z.string()), info: z.object({ lines: z.number() }) }),
)

function records(csv: string, refused: { line: number; reason: string }[]) {
  try {
    const read: unknown = parse(csv, {
      ...{ bom: true, columns: (names: string[]) => names.map((name) => name.trim().toLowerCase()) },
      ...{ info: true, skip_empty_lines: true, trim: true, to: mostRows },
    })
    return Records.parse(read).map(({ record, info }) => ({ line: info.lines, values: record }))
  } catch (error) {
    refused.push({ line: 1, reason: `This is not a list with columns: ${messageOf(error)}` })
    return []
  }
}
