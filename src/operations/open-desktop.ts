import { z } from 'zod'
import { prepareLease, type Lease, resumeLease } from '../../broker/lease.ts'
import { termsOf } from '../../broker/lease-terms.ts'
import { chooseDesktop } from '../../broker/placement-of-desktops.ts'
import type { PoolRule } from '../../broker/pool.ts'
import { encodeRdp, encodingFor, rdpEncodings, rdpFile } from '../../broker/rdp-file.ts'
import type { TerminalRule } from '../../broker/terminal.ts'
import { fingerprintOf, shortCodeOf, ticketFor } from '../../broker/ticket.ts'
import { refuse } from '../base/errors.ts'
import { hasRole, isNamed } from '../identity/person.ts'
import { enqueue } from '../jobs/outbox.ts'
import { countsOf, desktopTo, lendTo, poolNamed } from './desktops.ts'
import { checkOpen } from './pool-admission.ts'
import { change, type Context, type ReadContext } from './operation.ts'
import { payForLease } from './lease-charging.ts'
import { anybody } from './rules.ts'
import { factsOf, sighted } from './terminals.ts'
import { InstantShape, text } from './shapes/fields.ts'
import { ProgressShape, progressOf } from './shapes/job.ts'
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

/** The caller's lease in a pool: what they have, else a new one. */
export async function leaseFor(
  context: Context,
  pool: PoolRule,
  terminal: Lease['terminal'],
): Promise<Lease> {
  const { tx, caller, now, site } = context
  const terms = termsOf(pool, site.timezone)
  const choice = chooseDesktop(pool, caller.user, await found(context, pool), now)
  if (choice.kind === 'resume') {
    const resumed = resumeLease(choice.lease, terminal, terms, now)
    await tx.leases.put(resumed)
    return resumed
  }
  const opening = await openingOf(context, pool, terminal)
  const own = choice.kind === 'wake' ? choice.desktop.id : null
  const lease = prepareLease({ ...opening, desktop: own }, terms, now)
  await payForLease(context, pool, lease, caller)
  if (choice.kind === 'offer') return lendTo(context, pool, choice.desktop, lease)
  await tx.leases.put(lease)
  if (choice.kind === 'wake') await wake(context, choice.desktop.id, lease, choice.start)
  return lease
}

/** What there is for this person in this pool. Each lookup is by an index, so it costs the same in a pool of any size. */
async function found({ tx, caller }: Context, pool: PoolRule): Promise<Parameters<typeof chooseDesktop>[2]> {
  const key = `${pool.name}|${caller.user}`
  const [lease = null] = await tx.leases.find('open-user', key)
  const [desktop] = lease === null ? await tx.desktops.find('person', key) : []
  const running = desktop === undefined ? false : (await tx.machines.get(desktop.id))?.state === 'running'
  const own = desktop === undefined ? null : { desktop, running }
  const hasOwn = own !== null && own.desktop.state !== 'gone' && pool.kind === 'persistent'
  if (lease !== null || hasOwn) return { lease, own, spare: null, counts: null }
  const spare = own === null ? ((await tx.desktops.claim('free', pool.name)) ?? null) : null
  return { lease, own, spare, counts: spare === null ? await countsOf(tx, pool.name) : null }
}

async function openingOf({ tx, caller, now, ids }: Context, pool: PoolRule, terminal: Lease['terminal']) {
  const id = ids.next('L', now)
  const nonce = ids.secret(16)
  const ticket = fingerprintOf(ticketFor(await ticketKey({ tx, ids }), { id, nonce }))
  return { id, nonce, ticket, pool: pool.name, desktop: null, user: caller.user, terminal }
}

/** The site's key for tickets, made when the first one is needed. */
async function ticketKey({ tx, ids }: Pick<Context, 'tx' | 'ids'>): Promise<string> {
  const known = await tx.secrets.get('ticket-key')
  if (known !== undefined) return known.value
  const value = ids.secret(32)
  await tx.secrets.put({ id: 'ticket-key', value })
  return value
}

async function wake(context: Context, name: string, lease: Lease, start: boolean): Promise<void> {
  const desktop = await context.tx.desktops.get(name)
  if (desktop === undefined) return
  const waking = start ? desktopTo(desktop, 'waking', context) : desktop
  await context.tx.desktops.put({ ...waking, lease: lease.id })
  if (start) {
    const facts = { subject: `machine:${name}`, by: lease.user }
    const job = await enqueue(context, 'wake-desktop', { desktop: name }, facts)
    const machine = await context.tx.machines.get(name)
    if (machine !== undefined) await context.tx.machines.put({ ...machine, job: job.id })
  }
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
    const progress = await progressOfLease(context, lease)
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

/** How far the desktop has come that a lease waits for; without one of its own, the one that will be ready first. */
export async function progressOfLease({ tx }: Pick<ReadContext, 'tx'>, lease: Lease) {
  const coming = { index: 'coming', key: lease.pool } as const
  const name = lease.desktop ?? (await tx.desktops.page({ where: coming, limit: 1 })).items[0]?.id
  const machine = name === undefined ? undefined : await tx.machines.get(name)
  return progressOf(
    machine?.job === null || machine === undefined ? undefined : await tx.jobs.get(machine.job),
  )
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
