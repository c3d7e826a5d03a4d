import { z } from 'zod'
import { accepts, askingOf, leaseInFront, terminalOf, terminalUser } from '../../broker/asker.ts'
import type { Lease } from '../../broker/lease.ts'
import type { Identity, PoolRule } from '../../broker/pool.ts'
import { asRule } from '../../broker/registered-terminal.ts'
import { identify, canonicalAddress, type TerminalRule } from '../../broker/terminal.ts'
import { fingerprintOf, shortCodeOf } from '../../broker/ticket.ts'
import { roughMillis } from '../base/duration.ts'
import { refuse } from '../base/errors.ts'
import { poolNamed } from './desktops.ts'
import { leaseFor } from './leasing.ts'
import { change, type Context, query, type ReadContext } from './operation.ts'
import { operators } from './rules.ts'
import { rulesAt, terminalNamed } from './terminals.ts'

const Source = z.object({ address: z.string(), localPort: z.number() })

/** Where a connection goes, or why not yet. */
const Route = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('found'),
    lease: z.string(),
    target: z.object({ host: z.string(), port: z.number() }),
    endsAt: z.string(),
    /** How long its client may be silent. */
    idleMillis: z.number().nullable(),
  }),
  /** Its desktop is being made, or wakes. */
  z.object({ kind: z.literal('waiting'), lease: z.string() }),
  /** It comes from this terminal, which has no lease yet and may have one of its pool. */
  z.object({ kind: z.literal('terminal'), terminal: z.string() }),
])
type Route = z.infer<typeof Route>

/** A lease, or a terminal that may have one. */
type Subject = { lease: Lease } | { terminal: TerminalRule }

export const routeConnection = query({
  name: 'route-connection',
  summary: 'Find whom an RDP connection is for, from what its first packet says and where it comes from.',
  http: null,
  input: z.object({
    routingToken: z.string().nullable(),
    pcb: z.string().nullable(),
    mstshash: z.string().nullable(),
    source: Source,
  }),
  output: Route,
  allow: operators,
  async run(context, input): Promise<Route> {
    const subject = await subjectOf(context, input)
    if ('terminal' in subject) return { kind: 'terminal', terminal: subject.terminal.name }
    const { lease } = subject
    if (lease.endsAt <= context.now) {
      refuse('lease_ended', 'The lease of this connection has ended.', { about: lease.id })
    }
    const machine = lease.desktop === null ? undefined : await context.tx.machines.get(lease.desktop)
    const target = machine?.rdp ?? null
    if (lease.state === 'preparing' || target === null) return { kind: 'waiting', lease: lease.id }
    const { idle } = poolNamed(context.site, lease.pool).lease
    const idleMillis = idle === undefined ? null : roughMillis(idle)
    return { kind: 'found', lease: lease.id, target, endsAt: lease.endsAt, idleMillis }
  },
})

/**
 * The order: ticket, collection, address, port, name. Whoever shows a ticket is answered by that alone: a dead one must
 * not lead anywhere else.
 */
async function subjectOf(
  context: ReadContext,
  input: z.infer<typeof routeConnection.input>,
): Promise<Subject> {
  const asking = askingOf(input)
  if (asking.strange) refuse('unknown_ticket', 'The connection carries a routing token that is not ours.')
  if (asking.ticket !== null) return { lease: await byTicket(context, asking.ticket) }
  const pool = asking.pool === null ? null : collectionNamed(context, asking.pool)
  const subject =
    (await byTerminal(context, input.source, pool)) ??
    (await byNeighbour(context, input.source, pool)) ??
    (await byName(context, asking.name, pool))
  return subject ?? refuse('not_recognised', 'Nothing in this connection says whom it is for.')
}

async function byTicket({ tx, site }: ReadContext, ticket: string): Promise<Lease> {
  const [lease] = await tx.leases.find('ticket', fingerprintOf(ticket))
  if (lease === undefined || !accepts(poolNamed(site, lease.pool), 'ticket')) {
    refuse('unknown_ticket', 'No open lease has this ticket.')
  }
  return lease
}

function collectionNamed({ site }: ReadContext, name: string): PoolRule {
  const pool = site.pools.find((known) => known.name === name)
  if (pool === undefined || !accepts(pool, 'pool'))
    refuse('not_found', `There is no pool ${name} to ask for.`)
  return pool
}

/** The live lease of the terminal that it comes from, else its own pool, where that is shared. */
async function byTerminal(
  context: ReadContext,
  source: z.infer<typeof Source>,
  asked: PoolRule | null,
): Promise<Subject | undefined> {
  const { tx, site } = context
  const known = terminalOf(await rulesAt(context, source), source)
  if (known === undefined) return undefined
  const { rule, by } = known
  const lease = leaseInFront(fitting(context, await tx.leases.find('open-terminal', rule.name), asked, by))
  if (lease !== undefined) return { lease }
  const own = site.pools.find(({ name }) => name === rule.pool)
  // A persistent desktop is a person's, and nobody knows who sits there.
  const may = own?.kind === 'shared' && accepts(own, by) && (asked === null || asked === own)
  return may ? { terminal: rule } : undefined
}

/** For a collection only: the lease that somebody was offered at the same address, through our pages or programs. */
async function byNeighbour(
  context: ReadContext,
  source: z.infer<typeof Source>,
  asked: PoolRule | null,
): Promise<Subject | undefined> {
  if (asked === null) return undefined
  const all = await context.tx.leases.find('open-address', canonicalAddress(source.address))
  const leases = fitting(context, all, asked, 'address')
  // Behind one address may be many who share it: then it says nothing.
  const people = new Set(leases.map(({ user }) => user))
  const lease = people.size > 1 ? undefined : leaseInFront(leases)
  return lease === undefined ? undefined : { lease }
}

/** The live lease of a short code, else of a person. @throws Refusal `ambiguous_name` when there are several. */
async function byName(
  context: ReadContext,
  name: string | null,
  asked: PoolRule | null,
): Promise<Subject | undefined> {
  if (name === null) return undefined
  const named = await context.tx.leases.find('open-name', name)
  const codes = fitting(context, named.filter(hasCode(name)), asked, 'code')
  const people = fitting(
    context,
    named.filter(({ user }) => user.startsWith(name)),
    asked,
    'user',
  )
  // Of two whose names begin alike, the one whose whole name it is.
  const exact = people.filter(({ user }) => user === name)
  const [lease, another] = [codes, exact, people].find(({ length }) => length > 0) ?? []
  if (another !== undefined) refuse('ambiguous_name', `There are several open leases for ${name}.`)
  return lease === undefined ? undefined : { lease }
}

function hasCode(name: string): (lease: Lease) => boolean {
  return (lease) => shortCodeOf(lease) === name
}

function fitting(
  { site }: ReadContext,
  leases: readonly Lease[],
  asked: PoolRule | null,
  identity: Identity,
): Lease[] {
  return leases.filter(({ pool }) => {
    const rule = site.pools.find(({ name }) => name === pool)
    return accepts(rule, identity) && (asked === null || asked === rule)
  })
}

export const openAtTerminal = change({
  name: 'open-at-terminal',
  summary: 'Give a registered terminal, where nobody has to sign in, a desktop of its pool.',
  http: null,
  input: z.object({ terminal: z.string(), source: Source }),
  output: z.object({ lease: z.string() }),
  subject: ({ terminal }, answer) =>
    answer === undefined ? `terminal:${terminal}` : `lease:${answer.lease}`,
  allow: operators,
  async run(context, { terminal, source }) {
    const rule = asRule(await terminalNamed(context, terminal))
    if (rule.pool === undefined) refuse('not_recognised', `Terminal ${terminal} has no pool of its own.`)
    const facts = identify([rule], { name: terminal }, source.address)
    const lease = await leaseFor(asTerminal(context, terminal), poolNamed(context.site, rule.pool), facts)
    return { lease: lease.id }
  },
})

/** The terminal is who asks: the lease is in its name, since nobody has said theirs. */
function asTerminal(context: Context, name: string): Context {
  return { ...context, caller: { ...context.caller, user: terminalUser(name), name, roles: [] } }
}
