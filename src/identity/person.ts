/** Somebody the directory knows. `user` is the account name, lower case; groups are names, lower case. */
export interface Person {
  user: string
  name: string
  email: string | null
  groups: readonly string[]
}

export type Role = 'operator' | 'auditor'

/** Which face of the service a caller came through; kept in the audit and on decisions. */
export type Via = 'rest' | 'portal' | 'web' | 'slack' | 'mattermost' | 'cli' | 'router' | 'system'

/** Who asks for an operation: a verified person with the roles that the site gives them, or the service itself. */
export interface Caller extends Person {
  roles: readonly Role[]
  via: Via
  /** The network address they come from, where there is one. A terminal may be known by it. */
  address: string | null
}

/** The service itself: what a job, a sweep, the router or whoever may read its data does in nobody's name. */
export function system(via: 'system' | 'router' | 'cli' = 'system'): Caller {
  return {
    user: 'jackdaw',
    name: 'Jackdaw',
    email: null,
    groups: [],
    roles: ['operator', 'auditor'],
    via,
    address: null,
  }
}

/** Whether a list of users and groups names this person. `everyone` is everybody who is signed in. */
export function isNamed(person: Person, names: readonly string[]): boolean {
  return names.some((name) => name === 'everyone' || name === person.user || person.groups.includes(name))
}

export function hasRole(caller: Caller, role: Role): boolean {
  return caller.roles.includes(role)
}

/** Somebody who has not signed in. All that is known of them is where they come from. */
export function nobody(via: Via, address: string): Caller {
  return { user: 'nobody', name: 'Somebody', email: null, groups: [], roles: [], via, address }
}
