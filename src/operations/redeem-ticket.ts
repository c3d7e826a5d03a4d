import { z } from 'zod'
import { fingerprintOf } from '../../broker/ticket.ts'
import { refuse } from '../base/errors.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'

/** For the router: where a ticket leads. Good for as many connections as clients need, until the lease ends. */
export const redeemTicket = query({
  name: 'redeem-ticket',
  summary: 'Find the desktop that a ticket is for.',
  http: null,
  input: z.object({ ticket: z.string().max(200) }),
  output: z.object({ lease: z.string(), target: z.object({ host: z.string(), port: z.number() }) }),
  allow: anybody,
  async run({ tx, now }, { ticket }) {
    const [lease] = await tx.leases.find('ticket', fingerprintOf(ticket))
    if (lease === undefined) refuse('unknown_ticket', 'No open lease has this ticket.')
    if (lease.endsAt <= now) refuse('lease_ended', 'The lease of this ticket has ended.', { about: lease.id })
    const machine = lease.desktop === null ? undefined : await tx.machines.get(lease.desktop)
    if (machine?.rdp === null || machine === undefined) {
      refuse('busy', 'The desktop of this ticket is not ready yet.', { about: lease.id })
    }
    return { lease: lease.id, target: machine.rdp }
  },
})
