import { z } from 'zod'
import { identify, knownTerminal } from '../../broker/terminal.ts'
import { query } from './operation.ts'

/** For the files that devices fetch: what is known of one. Of who sits there it says nothing, since anybody may ask. */
export const findTerminal = query({
  name: 'find-terminal',
  summary: 'Find the terminal that a MAC or an address belongs to.',
  http: null,
  open: true,
  input: z.object({ mac: z.string().max(32).optional(), name: z.string().max(63).optional() }),
  output: z.object({
    terminal: z
      .object({
        name: z.string(),
        kind: z.string(),
        mac: z.string().nullable(),
        pool: z.string().nullable(),
      })
      .nullable(),
  }),
  allow: () => undefined,
  async run({ caller, site }, said) {
    const rule = knownTerminal(site.terminals, said, caller.address)
    if (rule === undefined) return { terminal: null }
    const { mac } = identify(site.terminals, said, caller.address)
    return { terminal: { name: rule.name, kind: rule.kind, mac, pool: rule.pool ?? null } }
  },
})
