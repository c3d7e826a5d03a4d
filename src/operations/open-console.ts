import { z } from 'zod'
import { notFound, refuse } from '../base/errors.ts'
import { checkVerb } from '../machines/control.ts'
import type { Machine } from '../machines/machine.ts'
import { checkManaged } from './control-machine.ts'
import { change, query, type ReadContext } from './operation.ts'
import { anybody, steered } from './rules.ts'
import { InstantShape } from './shapes/fields.ts'
import { issue, standing } from './vouchers.ts'

export const ConsoleKind = z.enum(['screen', 'serial'])
export type ConsoleKind = z.infer<typeof ConsoleKind>

const purpose = 'console'
/** Long enough to follow a link, too short to be passed around. */
const ticketSeconds = 60

/** What a ticket stands for. The name of a machine may come to mean another one, its `ref` does not. */
const Ticket = z.object({ machine: z.string(), ref: z.string(), kind: ConsoleKind, user: z.string() })

/**
 * Where a page of ours shows a console. The ticket stands behind `#`, which browsers keep to themselves: neither we nor a
 * proxy before us ever see it in an address (RFC 3986, 3.5).
 */
export const openConsole = change({
  name: 'open-console',
  summary: 'Give a link to the screen or the serial line of a machine that runs. It opens once.',
  http: { method: 'POST', path: '/machines/{name}/console' },
  repeatable: true,
  input: z.object({ name: z.string().max(63), kind: ConsoleKind.default('screen') }),
  output: z.object({ url: z.string(), expiresAt: InstantShape }),
  subject: ({ name }) => `machine:${name}`,
  allow: anybody,
  async run(context, { name, kind }) {
    const { caller, site } = context
    const machine = await steered(context, name)
    checkManaged(machine)
    checkVerb(machine, 'console')
    const facts = { machine: machine.id, ref: machine.ref, kind, user: caller.user }
    const { token, expiresAt } = await issue(context, { purpose, facts, seconds: ticketSeconds })
    return { url: `${site.publicUrl}${consolePath(name, kind)}#${token}`, expiresAt }
  },
})

/** The page of a console on our own site. */
export function consolePath(machine: string, kind: ConsoleKind): string {
  return `/console/${encodeURIComponent(machine)}/${kind}`
}

/** For the channel of consoles: a ticket counts once, and only for whoever asked for it. */
export const enterConsole = change({
  name: 'enter-console',
  summary: 'Use the ticket of a console.',
  http: null,
  input: z.object({ ticket: z.string().max(200) }),
  output: z.object({ machine: z.string(), ref: z.string(), hypervisor: z.string(), kind: ConsoleKind }),
  subject: (_input, answer) => (answer === undefined ? null : `machine:${answer.machine}`),
  allow: anybody,
  async run(context, { ticket }) {
    const voucher = await standing(context, purpose, ticket)
    if (voucher === undefined) {
      refuse('unknown_ticket', 'This link was opened before, or it is too old. Reconnect to get another.')
    }
    const { machine: name, ref, kind, user } = Ticket.parse(voucher.facts)
    if (user !== context.caller.user) {
      refuse('forbidden', 'This link was made for somebody else. Reconnect to get your own.')
    }
    await context.tx.vouchers.remove(voucher.id)
    const machine = await same(context, name, ref)
    checkVerb(machine, 'console')
    checkManaged(machine)
    return { machine: name, ref, hypervisor: machine.hypervisor ?? '', kind }
  },
})

/** For the channel of consoles: whether one that is open may stay so. */
export const checkConsole = query({
  name: 'check-console',
  summary: 'Say whether the console of a machine may stay open.',
  http: null,
  input: z.object({ machine: z.string(), ref: z.string() }),
  output: z.object({}),
  allow: anybody,
  async run(context, { machine: name, ref }) {
    const machine = await same(context, name, ref)
    // It may well run on a host that is slow to answer, and does while it is moved.
    if (!['migrating', 'unreachable', 'paused'].includes(machine.state)) checkVerb(machine, 'console')
    return {}
  },
})

async function same(context: ReadContext, name: string, ref: string): Promise<Machine> {
  const machine = await steered(context, name)
  if (machine.ref !== ref) throw notFound('machine', name)
  return machine
}
