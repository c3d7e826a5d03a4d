import type { Lease } from './lease.ts'
import type { Identity, PoolRule } from './pool.ts'
import { canonicalAddress, type TerminalRule } from './terminal.ts'
import { poolIn, ticketIn } from './ticket.ts'

/** What the first packet of a connection says of whom it is for. Nobody vouches for any of it but the ticket. */
export interface Asking {
  /** One of ours by its looks. It is the only thing that counts then. */
  ticket: string | null
  /** It carries a routing token that we know nothing of: a ticket that was cut short, or somebody else's. */
  strange: boolean
  /** The pool that it names by its collection. */
  pool: string | null
  /** A person's name, perhaps cut short, or the short code of a lease; lower case. */
  name: string | null
}

/** mstsc cuts the user name that it sends to this many characters. */
export const shortName = 9

/** Reads the routing token, the text of the preconnection blob and the user name of a greeting (MS-RDPBCGR 2.2.1.1). */
export function askingOf(said: {
  routingToken: string | null
  pcb: string | null
  mstshash: string | null
}): Asking {
  const ticket = ticketIn(said.routingToken) ?? ticketIn(said.pcb) ?? null
  const pool = poolIn(said.routingToken) ?? poolIn(said.pcb) ?? null
  const strange = ticket === null && pool === null && said.routingToken !== null
  return { ticket, strange, pool: pool?.toLowerCase() ?? null, name: accountName(said.mstshash) }
}

/** `CORP\alice` and `alice@corp.example` are `alice`. */
function accountName(text: string | null): string | null {
  const name = text?.replace(/^.*\\/, '').replace(/@.*$/, '').toLowerCase() ?? ''
  return name === '' ? null : name
}

/** Which registered terminal a connection comes from: by its address, else by the port that was made for it. */
export function terminalOf(
  rules: readonly TerminalRule[],
  source: { address: string; localPort: number },
): { rule: TerminalRule; by: 'address' | 'port' } | undefined {
  const address = canonicalAddress(source.address)
  const byAddress = rules.find((rule) => rule.address === address)
  if (byAddress !== undefined) return { rule: byAddress, by: 'address' }
  const byPort = rules.find((rule) => rule.port === source.localPort)
  return byPort === undefined ? undefined : { rule: byPort, by: 'port' }
}

/** Whether a pool lets connections find its leases by this. */
export function accepts(pool: PoolRule | undefined, identity: Identity): boolean {
  return pool?.identities.includes(identity) ?? false
}

/**
 * Which of the open leases of one terminal a connection from it is for: the one that was just offered there, else the
 * one that something happened to last.
 */
export function leaseInFront(leases: readonly Lease[]): Lease | undefined {
  const rank = (lease: Lease): string =>
    `${lease.state === 'offered' ? 1 : 0} ${lease.history.at(-1)?.at ?? lease.createdAt} ${lease.id}`
  return leases.reduce<Lease | undefined>(
    (best, lease) => (best === undefined || rank(lease) > rank(best) ? lease : best),
    undefined,
  )
}

/** In whose name a terminal gets a lease that nobody has signed in for. No person is called so. */
export function terminalUser(name: string): string {
  return `terminal:${name}`
}

/** Whether a lease is a person's, who may be told things, and not a terminal's. */
export function isPersons(lease: Pick<Lease, 'user'>): boolean {
  return !lease.user.startsWith('terminal:')
}
