import type { Client } from 'ldapts'
import { anyOf, equals, inChain, type LdapEntry, type Scheme, searched } from './entries.ts'

/** Groups within groups are followed so deep. */
const deepest = 10
/** How many names one filter asks about. */
const together = 50

export interface GroupPlace {
  client: Client
  scheme: Scheme
  /** Where groups are. */
  base: string
}

/** The names of all groups that an entry is in, directly or through others. */
export async function groupsOf(place: GroupPlace, entry: LdapEntry): Promise<string[]> {
  const { client, scheme, base } = place
  const attributes = [scheme.group]
  if (scheme.isAd) {
    const found = await searched(client, base, { filter: inChain('member', entry.dn), attributes })
    return found.flatMap((group) => group.all(scheme.group))
  }
  const names = new Set<string>()
  const seen = new Set<string>()
  let level = [entry.dn]
  const account = entry.first(scheme.user)
  for (let depth = 0; depth < deepest && level.length > 0; depth++) {
    // Groups of POSIX name accounts, not entries, and hold no groups.
    const posix = depth === 0 && account !== undefined ? [equals('memberUid', account)] : []
    const found = await containing(place, level, posix)
    const fresh = found.filter(({ dn }) => !seen.has(dn.toLowerCase()))
    for (const group of fresh) {
      seen.add(group.dn.toLowerCase())
      for (const name of group.all(scheme.group)) names.add(name)
    }
    level = fresh.map(({ dn }) => dn)
  }
  return [...names]
}

async function containing(
  { client, scheme, base }: GroupPlace,
  dns: readonly string[],
  others: ReturnType<typeof equals>[],
): Promise<LdapEntry[]> {
  const found: LdapEntry[] = []
  for (let from = 0; from < dns.length; from += together) {
    const part = dns.slice(from, from + together)
    const filters = part.flatMap((dn) => [equals('member', dn), equals('uniqueMember', dn)])
    const filter = anyOf([...filters, ...(from === 0 ? others : [])])
    found.push(...(await searched(client, base, { filter, attributes: [scheme.group] })))
  }
  return found
}

/** What a group holds, directly or through others, by DN; and the accounts that a POSIX group names. */
export async function heldBy(
  place: GroupPlace,
  group: LdapEntry,
  read: readonly string[],
): Promise<{ entries: LdapEntry[]; accounts: string[] }> {
  const { client } = place
  const attributes = [...read, 'member', 'uniqueMember', 'memberUid']
  const seen = new Set([group.dn.toLowerCase()])
  const entries: LdapEntry[] = []
  const accounts = new Set<string>()
  let level = [group]
  for (let depth = 0; depth < deepest && level.length > 0; depth++) {
    for (const account of level.flatMap((each) => each.all('memberUid'))) accounts.add(account)
    const dns = level.flatMap((each) => [...each.all('member'), ...each.all('uniqueMember')])
    const fresh = dns.filter((dn) => !seen.has(dn.toLowerCase()) && seen.add(dn.toLowerCase()))
    level = (await Promise.all(fresh.map((dn) => searched(client, dn, { scope: 'base', attributes })))).flat()
    entries.push(...level)
  }
  return { entries, accounts: [...accounts] }
}
