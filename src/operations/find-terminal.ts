import { z } from 'zod'
import { query } from './operation.ts'
import { terminalFor } from './terminals.ts'

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
  async run(context, said) {
    const terminal = await terminalFor(context, said, context.caller.address)
    if (terminal === undefined) return { terminal: null }
    const { id, kind, mac, pool } = terminal
    return { terminal: { name: id, kind, mac, pool } }
  },
})
