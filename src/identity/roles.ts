import { type Caller, isNamed, type Person, type Role, type Via } from './person.ts'

/** Who has which role: users, groups or `everyone`, in lower case. */
export type RoleRules = Readonly<Record<Role, readonly string[]>>

const roles: readonly Role[] = ['operator', 'auditor']

/** The roles that the site gives a person, by their name or by one of their groups. */
export function rolesOf(person: Person, rules: RoleRules): Role[] {
  return roles.filter((role) => isNamed(person, rules[role]))
}

/** A verified person as the one who asks for an operation. `address` is where they come from, if that is known. */
export function callerFor(person: Person, rules: RoleRules, via: Via, address: string | null): Caller {
  const { user, name, email, groups } = person
  return { user, name, email, groups, roles: rolesOf(person, rules), via, address }
}
