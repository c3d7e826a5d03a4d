import { refuse } from '../base/errors.ts'
import { hasRole } from '../identity/person.ts'
import type { ReadContext } from './operation.ts'

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
