import { Outage } from '../base/errors.ts'

/** A machine as the network's books have it. */
export interface Entry {
  /** A DNS label (RFC 1123). */
  name: string
  /** Ours, unique and never used again: what tells a later machine of the same name from this one. */
  ref: string
  /** Six octets, lower case with colons. */
  mac: string
  /** An IP address, once it has one. */
  address: string | null
  owner: string | null
}

/**
 * Somebody who has to know of a machine before it first boots (port): a name server, a database of the network.
 *
 * Every call may come twice, and the same again is success. Each waits no longer than its signal allows.
 * @throws Outage `registration_refused`, not transient, with the reason for a person; `registration_unreachable`,
 * transient.
 */
export interface Registrar {
  /** What it is, for people: `the name server ns1.example.org`. */
  readonly name: string
  /** Before the first boot. What it gives as address is shown until the machine is seen to have another. */
  register(entry: Entry, signal: AbortSignal): Promise<{ address: string | null }>
  /** The machine has an address, or another one than `formerly`. */
  locate(entry: Entry & { address: string; formerly: string | null }, signal: AbortSignal): Promise<void>
  /** The machine is gone. What it is not known by any more is success. */
  deregister(entry: Entry, signal: AbortSignal): Promise<void>
  /** Whether it would take our word; changes nothing. */
  check(signal: AbortSignal): Promise<void>
}

export function registrationRefused(detail: string): Outage {
  return new Outage('registration_refused', detail, { transient: false })
}

export function registrationUnreachable(detail: string, cause?: unknown): Outage {
  return new Outage('registration_unreachable', detail, { transient: true, cause })
}
