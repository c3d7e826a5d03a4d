import { Outage } from '../../base/errors.ts'
import { guestIgnored, hostUnreachable, hypervisorUnreachable } from '../outages.ts'

/** What Proxmox VE said, for those that can do something about it. */
export class ProxmoxOutage extends Outage {
  /** Its own words. */
  readonly said: string

  constructor(code: HypervisorWord, detail: string, options: { transient: boolean; said: string }) {
    super(code, detail, options)
    this.said = options.said
  }
}

type HypervisorWord = 'hypervisor_refused' | 'hypervisor_unreachable' | 'host_unreachable' | 'machine_missing'

/** An answer that is not the one that was hoped for. */
export interface BadAnswer {
  hypervisor: string
  /** The token's name, which is no secret. */
  token: string
  status: number
  /** The reason phrase, or `message` of the body: Proxmox VE says why in either. */
  said: string
  /** Faults by parameter, of status 400. */
  errors: Readonly<Record<string, string>>
  /** The node that was asked, if one was. */
  node: string | undefined
}

/** What waiting alone would change: locks, quorum, a monitor that is busy. */
const passing =
  /is locked \(|can't lock file|got timeout|got lock request timeout|no quorum|cluster not ready|trying to acquire|temporarily|Failed to obtain guest migration lock|unexpected state change|Configuration file '.*' does not exist/i

/** Codes of the proxy between nodes (AnyEvent::HTTP): 595 no connection, 596 no handshake or a timeout, 599 otherwise. */
const proxyCodes = new Set([595, 596, 597, 598, 599])

/** Makes an outage of a bad answer, in words for a person; the answer's own words stay at hand in `said`. */
export function failureOf(answer: BadAnswer): Outage {
  const { status, said, hypervisor, token, node } = answer
  if (proxyCodes.has(status)) return hostUnreachable(node ?? hypervisor, new Error(`${status} ${said}`))
  if ([429, 502, 503, 504].includes(status))
    return hypervisorUnreachable(hypervisor, new Error(`${status} ${said}`))
  const faults = Object.entries(answer.errors).map(([name, fault]) => `${name}: ${fault.trim()}`)
  const words = [said, ...faults].filter((text) => text !== '').join(' ')
  const refuse = (detail: string, transient = false) =>
    new ProxmoxOutage('hypervisor_refused', detail, { transient, said: words })
  if (status === 401) {
    return refuse(
      `${hypervisor} does not accept the API token ${token}: ${sentence(said)} Check token and secretFile in the site's file, and that the token has not expired.`,
    )
  }
  if (status === 403) {
    return refuse(
      `${hypervisor} does not let the API token ${token} do this: ${sentence(said)} Give its role that privilege on that path.`,
    )
  }
  if (status === 501) {
    return refuse(`${hypervisor} does not know a call that is needed. Proxmox VE 8.4 or later is.`)
  }
  return refuse(`${hypervisor} refuses: ${sentence(words)}`, status >= 500 && passing.test(said))
}

/** A task that ended otherwise than well, with what its log said last. */
export function taskFailure(task: {
  hypervisor: string
  type: string
  ref: string
  exit: string
  lastLine: string | undefined
}): Outage {
  const { hypervisor, type, ref, exit, lastLine } = task
  if (/VM quit\/powerdown failed|VM is paused - cannot shutdown/.test(exit)) return guestIgnored(ref)
  const more =
    lastLine === undefined || lastLine.includes(exit) ? '' : ` Its log ends with: ${sentence(lastLine)}`
  return new ProxmoxOutage(
    'hypervisor_refused',
    `Task ${type} on ${hypervisor} failed: ${sentence(exit)}${more}`,
    {
      transient: passing.test(exit) || exit === 'unexpected status' || /interrupted by signal/.test(exit),
      said: exit,
    },
  )
}

/** Whether this is what Proxmox VE said. */
export function saidThat(error: unknown, words: RegExp): boolean {
  return error instanceof ProxmoxOutage && words.test(error.said)
}

/** One line, at most 400 characters, with a full stop. */
function sentence(text: string): string {
  const line = text
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .trim()
    .slice(0, 400)
  return /[.!?]$/.test(line) ? line : `${line}.`
}
