import { notFound, refuse } from '../base/errors.ts'
import { type Caller, hasRole, isNamed } from '../identity/person.ts'
import { mayControl } from '../machines/access.ts'
import type { Machine } from '../machines/machine.ts'
import type { ReadContext } from './operation.ts'
import type { Site } from './site.ts'

type Who = Pick<ReadContext, 'caller'>

/** Anybody who is signed in. */
export function anybody(_context: Who): void {
  // The faces let nobody in who is not signed in; what they may see is decided by what is theirs.
}

export function operators({ caller }: Who): void {
  if (!hasRole(caller, 'operator')) refuse('forbidden', 'Only operators may do this. Ask one of them.')
}

export function auditors({ caller }: Who): void {
  if (!hasRole(caller, 'auditor') && !hasRole(caller, 'operator')) {
    refuse('forbidden', 'Only auditors and operators may see this.')
  }
}

/** Whether somebody may know of a machine: those who may steer it, the holders of its budget, operators, auditors. */
export function maySeeMachine(caller: Caller, machine: Machine, site: Site): boolean {
  if (mayControl(caller, machine) || hasRole(caller, 'auditor')) return true
  const budget = site.budgets.find(({ code }) => code === machine.budget)
  return budget !== undefined && isNamed(caller, [...budget.holders, ...budget.delegates])
}

/**
 * The machine, for somebody who may steer it. Others learn no more than that there is none for them.
 * @throws Refusal `not_found`, or `forbidden` for those who may see but not steer it.
 */
export async function steered({ tx, caller, site }: ReadContext, name: string): Promise<Machine> {
  const machine = await seen({ tx, caller, site }, name)
  if (!mayControl(caller, machine)) {
    refuse(
      'forbidden',
      `${name} belongs to ${machine.owner ?? 'nobody yet'}. Ask its owner or one of its administrators.`,
    )
  }
  return machine
}

/** The machine, for somebody who may see it. @throws Refusal `not_found`. */
export async function seen(
  { tx, caller, site }: Pick<ReadContext, 'tx' | 'caller' | 'site'>,
  name: string,
): Promise<Machine> {
  const machine = await tx.machines.get(name)
  if (machine === undefined || !maySeeMachine(caller, machine, site)) throw notFound('machine', name)
  return machine
}
