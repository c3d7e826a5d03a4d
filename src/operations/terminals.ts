import {
  asRule,
  enrolled,
  filed,
  type Terminal,
  type TerminalFields,
} from '../../broker/registered-terminal.ts'
import {
  canonicalAddress,
  canonicalMac,
  knownTerminal,
  type TerminalClaim,
  type TerminalRule,
} from '../../broker/terminal.ts'
import type { TerminalFacts } from '../../broker/lease.ts'
import { type Instant, millis } from '../base/clock.ts'
import { notFound, refuse } from '../base/errors.ts'
import { type Desk, redrawCards, tell } from '../jobs/outbox.ts'
import type { ReadTransaction } from '../store/store.ts'
import { poolNamed } from './desktops.ts'
import type { Site } from './site.ts'

interface Looking {
  tx: ReadTransaction
  site: Site
  now: Instant
}

/** Which device this is: by the site's file, else by the registry; in each by its name, its MAC, then its address. */
export async function terminalFor(
  { tx, site, now }: Looking,
  said: TerminalClaim,
  source: string | null,
): Promise<Terminal | undefined> {
  const rule = knownTerminal(site.terminals, said, source)
  if (rule !== undefined) return filed(rule, await tx.terminals.get(rule.name), now)
  const name = said.name?.toLowerCase()
  const byName = name === undefined ? undefined : await tx.terminals.get(name)
  if (byName?.standing === 'enrolled') return byName
  const mac = said.mac === undefined ? null : canonicalMac(said.mac)
  const [byMac] = mac === null ? [] : await tx.terminals.find('mac', mac)
  if (byMac !== undefined) return byMac
  return source === null ? undefined : (await tx.terminals.find('address', canonicalAddress(source)))[0]
}

/** The rules of the devices that a connection may come from: those of the site's file, and those of the registry. */
export async function rulesAt(
  { tx, site }: Looking,
  source: { address: string; localPort: number },
): Promise<TerminalRule[]> {
  const found = await Promise.all([
    tx.terminals.find('address', canonicalAddress(source.address)),
    tx.terminals.find('port', String(source.localPort)),
  ])
  return [...site.terminals, ...found.flat().map(asRule)]
}

/** What a lease keeps of the terminal: the site's word where it knows the device, else the device's own. */
export async function factsOf(
  looking: Looking,
  said: TerminalClaim,
  source: string | null,
): Promise<TerminalFacts & { known: TerminalRule['kind'] | null }> {
  const terminal = await terminalFor(looking, said, source)
  return {
    name: terminal?.id ?? said.name?.toLowerCase() ?? null,
    mac: terminal?.mac ?? (said.mac === undefined ? null : canonicalMac(said.mac)),
    kind: terminal?.kind ?? said.kind ?? null,
    address: source === null ? null : canonicalAddress(source),
    known: terminal?.kind ?? null,
  }
}

/** A device by its name. @throws Refusal `not_found`. */
export async function terminalNamed({ tx, site, now }: Looking, name: string): Promise<Terminal> {
  const id = name.toLowerCase()
  const rule = site.terminals.find((known) => known.name === id)
  const kept = await tx.terminals.get(id)
  const found = rule === undefined ? kept : filed(rule, kept, now)
  if (found === undefined || found.standing === 'waiting') throw notFound('terminal', name)
  return found
}

/**
 * A device that may be enrolled as said.
 * @throws Refusal `already_exists` when another has its name, MAC, address or port, `not_found` for an unknown pool.
 */
export async function enrolment(
  looking: Looking,
  fields: TerminalFields,
  by: string,
  replacing?: string,
): Promise<Terminal> {
  const { tx, site, now } = looking
  if (fields.pool !== undefined) poolNamed(site, fields.pool)
  const rule = site.terminals.find(
    ({ name, mac, address }) =>
      name === fields.name ||
      (mac !== undefined && mac === fields.mac) ||
      (address !== undefined && address === fields.address),
  )
  if (rule !== undefined) taken(rule.name, 'It stands in the site’s file: change it there.')
  const others = [
    await tx.terminals.get(fields.name),
    fields.mac === undefined ? undefined : (await tx.terminals.find('mac', fields.mac))[0],
    fields.address === undefined ? undefined : (await tx.terminals.find('address', fields.address))[0],
    fields.port === undefined ? undefined : (await tx.terminals.find('port', String(fields.port)))[0],
  ]
  const other = others.find((one) => one !== undefined && one.id !== replacing)
  if (other !== undefined) taken(other.id, 'Choose another, or remove that one first.')
  return enrolled(fields, by, now, replacing === undefined ? undefined : await tx.terminals.get(replacing))
}

function taken(name: string, remedy: string): never {
  return refuse('already_exists', `Terminal ${name} has that name, MAC, address or port already. ${remedy}`)
}

/** How many unknown devices may wait: anybody can send a MAC. */
const mostWaiting = 500
/** A device that is seen again within this time is not written down again. */
const quietMillis = 5 * 60_000

/** Writes down that a device was seen; one that is not known is put in the queue, to be confirmed by an operator. */
export async function sighted(
  looking: Looking & Desk,
  said: TerminalClaim,
  source: string | null,
): Promise<void> {
  const { tx, now } = looking
  const known = await terminalFor(looking, said, source)
  const mac = said.mac === undefined ? null : canonicalMac(said.mac)
  // Without a MAC every browser of the site would wait to be confirmed.
  if (known === undefined && mac === null) return
  const id = known?.id ?? `?${mac ?? ''}`
  const seen = known ?? (await tx.terminals.get(id))
  const lastSeenAt = seen?.lastSeenAt ?? null
  if (lastSeenAt !== null && millis(now) - millis(lastSeenAt) < quietMillis) return
  const waiting = seen === undefined ? await tx.terminals.count('standing', 'waiting') : 0
  if (waiting >= mostWaiting) return
  await tx.terminals.put({ ...(seen ?? stranger(id, said, mac, source, now)), lastSeenAt: now })
  if (seen === undefined) await tellOfQueue(looking)
}

/** What the card of the queue is about. */
export const queueCard = 'terminals:waiting'
/** Anybody can send a MAC: one card with all that wait, sent anew no more often than that. */
const tellingMillis = 3_600_000

/** Tells the operators that a terminal calls which nobody knows; the card that they have is drawn anew. */
async function tellOfQueue(desk: Looking & Desk): Promise<void> {
  const { tx, now, site } = desk
  const told = await tx.notices.find('about', queueCard)
  const last = told.filter(({ kind }) => kind === 'terminal-waiting').at(-1)
  if (last !== undefined && millis(now) - millis(last.at) < tellingMillis) return redrawCards(desk, queueCard)
  const about = { kind: 'terminals', id: 'waiting' } as const
  await tell(desk, { kind: 'terminal-waiting', about, to: [...site.roles.operator] })
}

function stranger(
  id: string,
  said: TerminalClaim,
  mac: string | null,
  source: string | null,
  at: Instant,
): Terminal {
  const kinds: readonly TerminalRule['kind'][] = ['jackpc', 'thinstation', 'wyse', 'igel', 'browser']
  const kind = kinds.find((each) => each === said.kind) ?? 'other'
  const address = source === null ? null : canonicalAddress(source)
  const nothing = { port: null, pool: null, owner: null, location: null, by: null, order: null }
  return { id, standing: 'waiting', kind, mac, address, createdAt: at, lastSeenAt: null, ...nothing }
}
