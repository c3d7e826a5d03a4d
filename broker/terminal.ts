import { isIP } from 'node:net'
import { z } from 'zod'

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
    .optional(),
  /** The pool whose desktops it opens, without being asked. */
  pool: z.string().optional(),
  location: z.string().max(80).optional(),
})
export type TerminalRule = z.infer<typeof TerminalRule>
