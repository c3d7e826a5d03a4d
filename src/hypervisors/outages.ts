import { Outage } from '../base/errors.ts'

/** Every way in which a hypervisor may fail. All drivers use these, so that callers can tell what to do next. */
export const hypervisorCodes = [
  /** What we talk to (a manager, an API, the only host) gives no answer. */
  'hypervisor_unreachable',
  /** It answers, but the host that the machine is on does not. */
  'host_unreachable',
  /** It has no machine of this ref. */
  'machine_missing',
  /** The guest was asked to shut down and did not. */
  'guest_ignored',
  /** It understood and will not. */
  'hypervisor_refused',
] as const

export function hypervisorUnreachable(name: string, cause?: unknown): Outage {
  return new Outage('hypervisor_unreachable', `Hypervisor ${name} gives no answer.`, {
    transient: true,
    cause,
  })
}

export function hostUnreachable(host: string, cause?: unknown): Outage {
  return new Outage('host_unreachable', `Host ${host} does not respond.`, { transient: true, cause })
}

export function machineMissing(ref: string): Outage {
  return new Outage('machine_missing', `The hypervisor has no machine ${ref}.`, { transient: false })
}

export function guestIgnored(ref: string): Outage {
  const detail = `The guest of machine ${ref} was asked to shut down and has not.`
  return new Outage('guest_ignored', detail, { transient: true })
}

/** `transient` only where waiting alone would change the answer. */
export function refused(detail: string, options: { transient: boolean } = { transient: false }): Outage {
  return new Outage('hypervisor_refused', detail, options)
}
