import { AndFilter, type Client } from 'ldapts'
import type { Directory } from './directory.ts'
import { ldapConnections, type LdapPlace } from './ldap/connections.ts'
import { anyOf, equals, inChain, type LdapEntry, schemeOf, searched } from './ldap/entries.ts'
import { type GroupPlace, groupsOf, heldBy } from './ldap/groups.ts'
import { accountTrouble } from './ldap/reasons.ts'
import type { LdapRule } from './ldap/rule.ts'
import type { Person } from './person.ts'
import { keyFacts } from './ssh-key.ts'
import { turns } from './turns.ts'

/** Passwords tried at once, and how many may wait: a site that comes to work at nine. */
const binding = { atOnce: 8, waiting: 2_000 }

/** Longer ones are not passwords, and longer names not accounts. */
const longest = { password: 1000, user: 200, value: 320 }

/** Of AD's `userAccountControl`: the account is switched off (MS-ADTS 2.2.16). */
const accountDisabled = 2

/** People of an LDAP directory, such as OpenLDAP, or of Active Directory. Names reach it as values, never as filters. */
export function ldap(place: LdapPlace): Directory {
  const { rule } = place
  const scheme = schemeOf(rule)
  const connections = ldapConnections(place)
  const inTurn = turns(binding)
  const { slack, mattermost } = rule.accountAttributes
  const accounts = [slack, mattermost].filter((attribute) => attribute !== undefined)
  const attributes = [
    scheme.user,
    ...scheme.name,
    'mail',
    'userAccountControl',
    rule.keyAttribute,
    ...accounts,
  ]
  const groupsFrom = (client: Client): GroupPlace => ({
    client,
    scheme,
    base: rule.groupBaseDn ?? rule.baseDn,
  })

  async function entryOf(client: Client, user: string, logins: readonly string[]) {
    if (user === '' || user.length > longest.user) return undefined
    const named = anyOf(logins.map((attribute) => equals(attribute, user)))
    const filter = scheme.isAd
      ? new AndFilter({ filters: [equals('objectCategory', 'person'), named] })
      : named
    const found = await searched(client, rule.baseDn, { filter, attributes })
    // Two of one name could be anybody.
    return found.length === 1 ? found[0] : undefined
  }

  async function personOf(client: Client, entry: LdapEntry): Promise<Person | undefined> {
    const user = entry.first(scheme.user)?.toLowerCase()
    if (user === undefined || isDisabled(entry)) return undefined
    const groups = await groupsOf(groupsFrom(client), entry)
    const name = scheme.name.map((attribute) => entry.first(attribute)).find((text) => text !== undefined)
    const sorted = [...new Set(groups.map((group) => group.toLowerCase()))].sort()
    return { user, name: name ?? user, email: entry.first('mail') ?? null, groups: sorted }
  }

  /** Everybody in a group of that name. */
  async function inGroup(client: Client, name: string): Promise<LdapEntry[]> {
    const wanted = { filter: equals(scheme.group, name), attributes: ['member', 'uniqueMember', 'memberUid'] }
    const [group] = (await searched(client, rule.groupBaseDn ?? rule.baseDn, wanted)).filter(isGroup)
    if (group === undefined) return []
    if (scheme.isAd) {
      const filters = [equals('objectCategory', 'person'), inChain('memberOf', group.dn)]
      return searched(client, rule.baseDn, { filter: new AndFilter({ filters }), attributes })
    }
    const { entries, accounts } = await heldBy(groupsFrom(client), group, attributes)
    const named = await Promise.all(accounts.map((account) => entryOf(client, account, [scheme.user])))
    return [...entries, ...named.filter((entry) => entry !== undefined)]
  }

  /** Everybody of whom an attribute says this. */
  function peopleWith(attribute: string, value: string): Promise<Person[]> {
    return connections.reading(async (client) => {
      if (value === '' || value.length > longest.value) return []
      const found = await searched(client, rule.baseDn, { filter: equals(attribute, value), attributes })
      const people = await Promise.all(found.map((entry) => personOf(client, entry)))
      return people.filter((person) => person !== undefined)
    })
  }

  async function checked(user: string, password: string): Promise<Person | undefined> {
    const entry = await connections.reading((client) => entryOf(client, loginOf(user), scheme.logins))
    // Tried even for nobody, so that time does not tell who has an account.
    const dn = entry?.dn ?? `${rule.kind === 'ad' ? 'CN' : 'cn'}=nobody-of-that-name,${rule.baseDn}`
    const refusal = await connections.refusesBind(dn, password)
    if (entry === undefined) return undefined
    if (refusal === undefined) return connections.reading((client) => personOf(client, entry))
    const trouble = accountTrouble(refusal)
    if (trouble !== undefined) throw trouble
    return undefined
  }

  return {
    async authenticate(user, password, signal) {
      signal.throwIfAborted()
      // A bind without a password is an anonymous one, and succeeds (RFC 4513 §5.1.2).
      if (password === '' || password.length > longest.password) return undefined
      return inTurn(signal, () => checked(user, password.normalize('NFC')))
    },
    find: (user) =>
      connections.reading(async (client) => {
        const entry = await entryOf(client, user, [scheme.user])
        return entry === undefined ? undefined : personOf(client, entry)
      }),
    members: (name) =>
      connections.reading(async (client) => {
        if (name === '' || name.length > longest.user) return []
        const one = await entryOf(client, name, [scheme.user])
        const entries = one === undefined ? await inGroup(client, name) : [one]
        const people = await Promise.all(entries.map((entry) => personOf(client, entry)))
        const known = people.filter((person) => person !== undefined)
        return [...new Map(known.map((person) => [person.user, person])).values()]
      }),
    withEmail: (email) => peopleWith('mail', email),
    async withAccount(platform, account) {
      const attribute = rule.accountAttributes[platform]
      return attribute === undefined ? [] : peopleWith(attribute, account)
    },
    accountsOf: (user) =>
      connections.reading(async (client) => {
        const entry = await entryOf(client, user, [scheme.user])
        return entry === undefined ? {} : accountsIn(entry, rule.accountAttributes)
      }),
    keysOf: (user) =>
      connections.reading(async (client) => {
        const entry = await entryOf(client, user, [scheme.user])
        return (entry?.all(rule.keyAttribute) ?? []).filter((key) => keyFacts(key) !== undefined)
      }),
    close: () => connections.close(),
  }
}

function accountsIn(entry: LdapEntry, { slack, mattermost }: LdapRule['accountAttributes']) {
  const [onSlack, onMattermost] = [slack, mattermost].map((attribute) =>
    attribute === undefined ? undefined : entry.first(attribute),
  )
  return {
    ...(onSlack === undefined ? {} : { slack: onSlack }),
    ...(onMattermost === undefined ? {} : { mattermost: onMattermost }),
  }
}

/** `LAB\\alice` is how Windows shows an account. */
function loginOf(user: string): string {
  return user.slice(user.lastIndexOf('\\') + 1)
}

function isDisabled(entry: LdapEntry): boolean {
  return (Number(entry.first('userAccountControl') ?? '0') & accountDisabled) !== 0
}

function isGroup(entry: LdapEntry): boolean {
  return ['member', 'uniqueMember', 'memberUid'].some((attribute) => entry.all(attribute).length > 0)
}
