import { z } from 'zod'
import { latestApproved, latestEnd, termsOf } from '../../broker/lease-terms.ts'
import type { Lease } from '../../broker/lease.ts'
import { poolNamed } from './desktops.ts'
import { pendingFor } from './lease-asked.ts'
import { query, type ReadContext } from './operation.ts'
import { InstantShape } from './shapes/fields.ts'
import { leaseStateNames } from './shapes/lease.ts'
import { terminalFor } from './terminals.ts'
import { troubleOf } from './waiting.ts'

/** For the terminal channel: what is shown at a device. Whose session it is, only that person's own device is told. */
export const terminalSession = query({
  name: 'terminal-session',
  summary: 'Show what a terminal shows: its session, and the last thing that an operator sent it.',
  http: null,
  open: true,
  input: z.object({
    name: z.string().max(63).optional(),
    mac: z.string().max(32).optional(),
    /** A lease of the caller, wherever it is now. */
    lease: z.string().max(60).optional(),
  }),
  output: z.object({
    terminal: z.string().nullable(),
    pool: z.string().nullable(),
    session: z
      .object({
        lease: z.string(),
        state: leaseStateNames,
        pool: z.string(),
        desktop: z.string().nullable(),
        endsAt: InstantShape,
        endReason: z.string().nullable(),
        /** Whether they were warned of this end. */
        isEnding: z.boolean(),
        canExtend: z.boolean(),
        /** Whether somebody else may be asked for more time than that. */
        canAsk: z.boolean(),
        /** Until when somebody is asked for it. */
        asked: InstantShape.nullable(),
        /** What keeps its person from the desktop. */
        trouble: z.string().nullable(),
        /** The terminal that it was last asked for from. */
        at: z.string().nullable(),
      })
      .nullable(),
    order: z
      .object({ id: z.string(), kind: z.string(), text: z.string().nullable(), at: InstantShape })
      .nullable(),
  }),
  allow: () => undefined,
  async run(context, { lease: id, ...said }) {
    const { tx, caller } = context
    const terminal = await terminalFor(context, said, caller.address)
    const asked = id === undefined ? undefined : await tx.leases.get(id)
    const lease = asked?.user === caller.user ? asked : await ownAt(context, terminal?.id ?? null)
    const order = terminal?.order ?? null
    return {
      terminal: terminal?.id ?? null,
      pool: terminal?.pool ?? null,
      session: lease === undefined ? null : await shown(context, lease),
      order: order === null ? null : { id: order.id, kind: order.kind, text: order.text, at: order.at },
    }
  },
})

/** The caller's open lease that was last asked for from this terminal. */
async function ownAt({ tx, caller, site }: ReadContext, terminal: string | null): Promise<Lease | undefined> {
  if (terminal === null) return undefined
  const keys = site.pools.map(({ name }) => `${name}|${caller.user}`)
  const open = (await Promise.all(keys.map((key) => tx.leases.find('open-user', key)))).flat()
  return open.find((lease) => lease.terminal?.name === terminal)
}

async function shown({ tx, now, site }: ReadContext, lease: Lease) {
  const { id, state, pool, desktop, endsAt, endReason, warnedFor, terminal } = lease
  const open = state !== 'ended' && state !== 'preparing'
  const terms = termsOf(poolNamed(site, pool), site.timezone)
  const request = await pendingFor(tx, lease)
  return {
    ...{ lease: id, state, pool, desktop, endsAt, endReason },
    isEnding: open && warnedFor === endsAt,
    canExtend: open && latestEnd(lease, terms) > endsAt,
    canAsk: open && latestApproved(lease, terms) > endsAt,
    asked: request?.ask.kind === 'lease' ? request.ask.until : null,
    trouble: (await troubleOf(tx, lease, now))?.text ?? null,
    at: terminal?.name ?? null,
  }
}
