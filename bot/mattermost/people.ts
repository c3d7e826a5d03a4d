import type { Caller } from '../../src/identity/person.ts'
import type { Accounts, ChatAccount } from '../accounts.ts'
import type { Api } from './api.ts'
import type { User } from './schema.ts'

/** Who is behind an account: a person of the directory, somebody not linked yet, or somebody who gets nothing. */
export type Who =
  | { kind: 'person'; caller: Caller; zone: string | undefined }
  | { kind: 'unlinked'; account: ChatAccount }
  | { kind: 'nobody' }

/** Where somebody is reached. */
export interface Reached {
  /** Their account. */
  id: string
  zone: string | undefined
}

/** Who is who on Mattermost. Asked of the server and the directory each time: a decision must not rest on what was. */
export interface People {
  whoIs(id: string): Promise<Who>
  /** The account at which somebody is reached, if it is theirs still. */
  reached(user: string): Promise<Reached | undefined>
  linkUrl(account: ChatAccount): Promise<string>
}

/** One thing told to somebody asks several times where they are; a decision always asks anew. */
const reachedMillis = 5000

export function openPeople(api: Api, accounts: Accounts, nowMillis: () => number): People {
  const found = new Map<string, { at: number; where: Promise<Reached | undefined> }>()

  async function look(user: User | undefined): Promise<Who> {
    if (user === undefined || !isColleague(user)) return { kind: 'nobody' }
    const account = accountFrom(user)
    const caller = await accounts.personOf(account)
    return caller === null ? { kind: 'unlinked', account } : { kind: 'person', caller, zone: zoneFrom(user) }
  }

  async function userFor(person: string): Promise<User | undefined> {
    const id = await accounts.accountOf('mattermost', person)
    if (id !== null) return api.user(id)
    const email = await accounts.emailOf('mattermost', person)
    return email === null ? undefined : api.userByEmail(email)
  }

  async function seek(person: string): Promise<Reached | undefined> {
    const user = await userFor(person)
    const who = await look(user)
    if (user === undefined || who.kind !== 'person' || who.caller.user !== person) return undefined
    return { id: user.id, zone: who.zone }
  }

  return {
    whoIs: async (id) => look(await api.user(id)),
    reached(person) {
      const known = found.get(person)
      if (known !== undefined && nowMillis() - known.at < reachedMillis) return known.where
      const where = seek(person)
      if (found.size > 5000) found.clear()
      found.set(person, { at: nowMillis(), where })
      where.catch(() => found.delete(person))
      return where
    },
    linkUrl: (account) => accounts.linkUrl(account),
  }
}

/** Programs, guests, people of other servers in shared channels, and those who have left get nothing. */
function isColleague({ is_bot, delete_at, roles, remote_id }: User): boolean {
  const isGuest = roles.split(' ').includes('system_guest')
  return !is_bot && !isGuest && delete_at === 0 && (remote_id ?? '') === ''
}

/** Where Mattermost takes its people from a directory, they can change neither their name nor their address there. */
const fromDirectory = ['ldap', 'saml']

function accountFrom({ id, username, email, email_verified, auth_service }: User): ChatAccount {
  const isManaged = fromDirectory.includes(auth_service)
  return {
    platform: 'mattermost',
    id,
    name: username,
    // The server tells only its administrators whether an address was verified.
    email: email !== '' && (email_verified || isManaged) ? email : null,
    directoryName: isManaged ? username : null,
  }
}

/** IANA names; the one of their browser unless they chose another. */
function zoneFrom({ timezone }: User): string | undefined {
  const { useAutomaticTimezone, automaticTimezone, manualTimezone } = timezone
  const zone = useAutomaticTimezone === 'false' ? manualTimezone : automaticTimezone
  return zone !== undefined && isZone(zone) ? zone : undefined
}

function isZone(name: string): boolean {
  try {
    return name !== '' && new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
