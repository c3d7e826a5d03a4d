import { z } from 'zod'
import type { Lease } from '../../broker/lease.ts'
import type { PoolRule } from '../../broker/pool.ts'
import { encodeRdp, encodingFor, rdpEncodings, rdpFile } from '../../broker/rdp-file.ts'
import type { TerminalRule } from '../../broker/terminal.ts'
import { shortCodeOf, ticketFor } from '../../broker/ticket.ts'
import { refuse } from '../base/errors.ts'
import { hasRole, isNamed } from '../identity/person.ts'
import { poolNamed } from './desktops.ts'
import { leaseFor, ticketKey } from './leasing.ts'
import { checkOpen } from './pool-admission.ts'
import { change, type Context } from './operation.ts'
import { anybody } from './rules.ts'
import { factsOf, sighted } from './terminals.ts'
import { progressOfLease } from './waiting.ts'
import { InstantShape, text } from './shapes/fields.ts'
import { ProgressShape } from './shapes/job.ts'
import { leaseStateNames } from './shapes/lease.ts'

const Opened = z.object({
  lease: z.string(),
  desktop: z.string().nullable(),
  state: leaseStateNames,
  expiresAt: InstantShape,
  /** What to give as user name, where a client can carry nothing else. */
  code: z.string(),
  /** The RDP file as text, once there is a desktop to dial. */
  rdp: z.string().optional(),
  /** How its terminal reads the file best, where it is sent as a file. */
  encoding: z.enum(rdpEncodings).optional(),
  progress: ProgressShape.optional(),
})
type Opened = z.infer<typeof Opened>

export const openDesktop = change({
  name: 'open-desktop',
  summary:
    'Get a desktop: your own, your session from wherever it is, a spare one, or one that is being made.',
  http: {
    method: 'POST',
    path: '/pools/{pool}/open',
    status: (answer) => (Opened.parse(answer).rdp === undefined ? 202 : 200),
    media: { type: 'application/x-rdp', render: renderRdp },
  },
  repeatable: true,
  input: z.object({
    pool: z.string().max(40),
    terminal: z
      .object({ name: text(63).optional(), mac: text(32).optional(), kind: text(32).optional() })
      .optional(),
    /** How the file is written. Left out, it is by the kind of terminal. */
    encoding: z.enum(rdpEncodings).optional(),
  }),
  output: Opened,
  subject: ({ pool }, answer) => (answer === undefined ? `pool:${pool}` : `lease:${answer.lease}`),
  allow: anybody,
  async run(context, input) {
    const pool = poolNamed(context.site, input.pool)
    checkMember(context, pool)
    await checkOpen(context, pool)
    const { known, ...terminal } = await factsOf(context, input.terminal ?? {}, context.caller.address)
    if (known !== null) await sighted(context, input.terminal ?? {}, context.caller.address)
    const lease = await leaseFor(context, pool, terminal)
    return opened(context, pool, lease, { kind: known, encoding: input.encoding })
  },
  finish: async ({ caller, now, rdp: finish }, answer) => {
    if (answer.rdp === undefined) return answer
    const { user, address } = caller
    return { ...answer, rdp: await finish(answer.rdp, { user, address, now, until: answer.expiresAt }) }
  },
})

/** @throws Refusal `not_a_member`. */
export function checkMember({ caller }: Pick<Context, 'caller'>, pool: PoolRule): void {
  if (isNamed(caller, pool.members) || hasRole(caller, 'operator')) return
  refuse(
    'not_a_member',
    `Pool ${pool.name} is for ${pool.members.join(', ')}. Ask an operator to let you in.`,
  )
}

async function opened(
  context: Context,
  pool: PoolRule,
  lease: Lease,
  reader: { kind: TerminalRule['kind'] | null; encoding: Opened['encoding'] },
): Promise<Opened> {
  const { caller, site } = context
  const { id, desktop, state, endsAt } = lease
  const answer = { lease: id, desktop, state, expiresAt: endsAt, code: shortCodeOf(lease) }
  if (lease.state === 'preparing') {
    const progress = await progressOfLease(context.tx, lease)
    return { ...answer, ...(progress === undefined ? {} : { progress }) }
  }
  const { kind, encoding } = reader
  const rdp = rdpFile({
    address: site.rdp.publicAddress,
    gateway: site.rdp.gateway,
    user: caller.user,
    ticket: ticketFor(await ticketKey(context), lease),
    allowed: pool.rdp,
    terminalKind: kind,
  })
  return { ...answer, rdp, encoding: encoding ?? encodingFor({ kind }) }
}

/** The file for a client, in the encoding that it reads best. */
function renderRdp(answer: unknown): { body: Buffer; headers: Record<string, string> } | undefined {
  const { rdp, lease, desktop, encoding } = Opened.parse(answer)
  if (rdp === undefined) return undefined
  return {
    body: encodeRdp(rdp, encoding ?? 'utf-16le'),
    headers: {
      'Jackdaw-Lease': lease,
      'Jackdaw-Desktop': desktop ?? '',
      'Content-Disposition': `attachment; filename="${desktop ?? 'desktop'}.rdp"`,
    },
  }
}
