import type { Instant } from '../../src/base/clock.ts'
import { isNamed, type Role } from '../../src/identity/person.ts'
import type { MachineView } from '../../src/operations/shapes/machine.ts'

/** Whoever looks at a card, as far as cards care. */
export interface Reader {
  user: string
  groups: readonly string[]
  roles: readonly Role[]
}

/** What every card is drawn with: for whom, when, and how the site counts time and money. */
export interface Drawing {
  reader: Reader
  now: Instant
  /** The zone that people read times in (IANA name). */
  zone: string
  currency: string
}

/** Whether the reader may do to a machine what its owner may. Who presses is checked again by the operation. */
export function steers(reader: Reader, machine: Pick<MachineView, 'owner' | 'administrators'>): boolean {
  if (machine.owner === reader.user || reader.roles.includes('operator')) return true
  return isNamed({ ...reader, name: reader.user, email: null }, machine.administrators)
}
