import { isIP, isIPv6 } from 'node:net'
import { z } from 'zod'
import type { TerminalFacts } from './lease.ts'

/** A device known by name. What it cannot say itself is looked up here. */
export const TerminalRule = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  kind: z.enum(['jackpc', 'thinstation', 'wyse', 'igel', 'browser', 'other']),
  mac: z
    .string()
    .regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i, 'a MAC address such as "00:0b:3c:00:00:11"')
    .transform((mac) => mac.toLowerCase())
    .optional(),
  address: z
    .string()
    .refine((text) => isIP(text) !== 0, 'an IP address')
    .transform(canonicalAddress)
    .optional(),
  /** A port of the router that is for this terminal alone, where neither its address nor anything it sends tells it. */
  port: z.number().int().min(1).max(65_535).optional(),
  /** The pool whose desktops it opens, without being asked. */
  pool: z.string().optional(),
  location: z.string().max(80).optional(),
})
export type TerminalRule = z.infer<typeof TerminalRule>

/** What a terminal says of itself. Nobody vouches for it: it helps to find a session, it never opens one. */
export interface TerminalClaim {
  name?: string | undefined
  mac?: string | undefined
  kind?: string | undefined
}

/** Which known terminal this is: by the name it says, then by its MAC, then by the address it comes from. */
export function knownTerminal(
  rules: readonly TerminalRule[],
  said: TerminalClaim,
  sourceAddress: string | null,
): TerminalRule | undefined {
  const name = said.name?.toLowerCase()
  const mac = said.mac === undefined ? null : canonicalMac(said.mac)
  const address = sourceAddress === null ? null : canonicalAddress(sourceAddress)
  return (
    rules.find((rule) => rule.name === name) ??
    rules.find((rule) => rule.mac !== undefined && rule.mac === mac) ??
    rules.find((rule) => rule.address !== undefined && rule.address === address)
  )
}

/** What a lease keeps of the terminal: the site's file where it knows the device, else what the device said. */
export function identify(
  rules: readonly TerminalRule[],
  said: TerminalClaim,
  sourceAddress: string | null,
): TerminalFacts {
  const rule = knownTerminal(rules, said, sourceAddress)
  return {
    name: rule?.name ?? said.name?.toLowerCase() ?? null,
    mac: rule?.mac ?? (said.mac === undefined ? null : canonicalMac(said.mac)),
    kind: rule?.kind ?? said.kind ?? null,
    address: sourceAddress === null ? null : canonicalAddress(sourceAddress),
  }
}

/** `00-0B-3C-00-00-11`, `000b.3c00.0011` and `000B3C000011` are one MAC; nothing when the text is none. */
export function canonicalMac(text: string): string | null {
  const digits = text.toLowerCase().replaceAll(/[-:.]/g, '')
  return /^[0-9a-f]{12}$/.test(digits) ? (digits.match(/../g) ?? []).join(':') : null
}

/** One text for one address: IPv4 that came in over an IPv6 socket is IPv4, and IPv6 is in its short form (RFC 5952). */
export function canonicalAddress(text: string): string {
  const bare = text.replace(/%.*$/, '').toLowerCase()
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1]
  if (mapped !== undefined) return mapped
  return isIPv6(bare) ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare
}
