import { z } from 'zod'

// What every kind of hypervisor says alike in the site's file.

/** Part of a file name, hence the narrow alphabet. */
export const HypervisorName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, 'lower-case letters, digits and dashes')

/** How many virtual CPUs and GB may be promised for each real one. */
export const Overcommit = z
  .strictObject({ cpus: z.number().positive().default(4), memory: z.number().positive().default(1) })
  .prefault({})

/** At least one host, and each once. */
export function hostsOf<Host extends z.ZodType<{ name: string }>>(host: Host) {
  return z
    .array(host)
    .min(1)
    .refine((hosts) => new Set(hosts.map(({ name }) => name)).size === hosts.length, 'each host once')
}
