import type { Machine } from './machine.ts'

/** Who asks, as far as machines care. Names in lower case. */
export interface Asker {
  user: string
  groups: readonly string[]
  roles: readonly string[]
}

/** Whether somebody may do to a machine what its owner may: the owner, an administrator, or an operator. */
export function mayControl(asker: Asker, machine: Machine): boolean {
  return isOwner(asker, machine) || isAdministrator(asker, machine) || asker.roles.includes('operator')
}

/**
 * Whether somebody may see a machine: whoever may control it, and auditors. Holders of its budget may too, but
 * machines know no budgets: the operation that asks adds them.
 */
export function maySee(asker: Asker, machine: Machine): boolean {
  return mayControl(asker, machine) || asker.roles.includes('auditor')
}

export function isOwner(asker: Pick<Asker, 'user'>, machine: Machine): boolean {
  return machine.owner !== null && same(machine.owner, asker.user)
}

/** Whether the machine's administrators name this person, or a group that they are in now. */
export function isAdministrator(asker: Pick<Asker, 'user' | 'groups'>, machine: Machine): boolean {
  return machine.administrators.some(
    (name) =>
      same(name, 'everyone') || same(name, asker.user) || asker.groups.some((group) => same(name, group)),
  )
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
