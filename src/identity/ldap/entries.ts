import { type Client, EqualityFilter, ExtensibleFilter, type Filter, OrFilter } from 'ldapts'
import { NoSuchObjectError } from 'ldapts'
import type { LdapRule } from './rule.ts'

/** Where things stand in a directory of this kind. */
export interface Scheme {
  user: string
  name: readonly string[]
  /** Attributes by which somebody may call themselves when they sign in. */
  logins: readonly string[]
  /** The attribute of a group's name. */
  group: string
  isAd: boolean
}

export function schemeOf({ kind, userAttribute, nameAttribute }: LdapRule): Scheme {
  const isAd = kind === 'ad'
  const user = userAttribute ?? (isAd ? 'sAMAccountName' : 'uid')
  const name = [...(nameAttribute === undefined ? [] : [nameAttribute]), 'displayName', 'cn']
  const logins = isAd ? [user, 'userPrincipalName'] : [user]
  return { user, name, logins, group: isAd ? 'sAMAccountName' : 'cn', isAd }
}

/** An entry as we read it: texts by attribute name in lower case. */
export interface LdapEntry {
  dn: string
  all(attribute: string): readonly string[]
  first(attribute: string): string | undefined
}

/** What matches a filter under a base. A base that is not there holds nothing. */
export async function searched(
  client: Client,
  base: string,
  options: { filter?: Filter; attributes: readonly string[]; scope?: 'base' | 'sub' },
): Promise<LdapEntry[]> {
  const { filter, attributes, scope = 'sub' } = options
  try {
    const { searchEntries } = await client.search(base, {
      ...{ scope, attributes: [...attributes], ...(filter === undefined ? {} : { filter }) },
      ...(scope === 'sub' ? { paged: { pageSize: 500 } } : {}),
    })
    return searchEntries.map(entryOf)
  } catch (error) {
    if (error instanceof NoSuchObjectError) return []
    throw error
  }
}

function entryOf(raw: Record<string, Buffer | Buffer[] | string[] | string> & { dn: string }): LdapEntry {
  const texts = new Map(
    Object.entries(raw).map(([key, value]) => [key.toLowerCase(), [value].flat().map(String)]),
  )
  const all = (attribute: string) => texts.get(attribute.toLowerCase()) ?? []
  return { dn: raw.dn, all, first: (attribute) => all(attribute)[0] }
}

export function equals(attribute: string, value: string): Filter {
  return new EqualityFilter({ attribute, value })
}

export function anyOf(filters: readonly Filter[]): Filter {
  return new OrFilter({ filters: [...filters] })
}

/** Membership through any number of groups, worked out by Active Directory (LDAP_MATCHING_RULE_IN_CHAIN). */
export function inChain(attribute: string, dn: string): Filter {
  return new ExtensibleFilter({ rule: '1.2.840.113556.1.4.1941', matchType: attribute, value: dn })
}
