import { z } from 'zod'
import {
  filed,
  readTerminals,
  type Terminal,
  TerminalFields,
  type TerminalOrder,
} from '../../broker/registered-terminal.ts'
import { refuse, Refusal } from '../base/errors.ts'
import { redrawCards } from '../jobs/outbox.ts'
import { change, query, type ReadContext } from './operation.ts'
import { operators } from './rules.ts'
import { InstantShape, text } from './shapes/fields.ts'
import { enrolment, queueCard, sighted, terminalNamed } from './terminals.ts'

const standings = ['enrolled', 'filed', 'waiting', 'denied'] as const

const TerminalShape = z.object({
  name: z.string(),
  standing: z.enum(standings),
  kind: z.string(),
  mac: z.string().nullable(),
  address: z.string().nullable(),
  port: z.number().nullable(),
  pool: z.string().nullable(),
  owner: z.string().nullable(),
  location: z.string().nullable(),
  lastSeenAt: InstantShape.nullable(),
  /** Who sits there now: an open lease that was last asked for from it. */
  session: z.object({ lease: z.string(), user: z.string(), pool: z.string(), state: z.string() }).nullable(),
})
export type TerminalView = z.infer<typeof TerminalShape>

/** More at once than any page shows. */
const mostListed = 5_000

export const listTerminals = query({
  name: 'list-terminals',
  summary:
    'List the terminals of the site, those that wait to be confirmed, when each was seen, and who sits there.',
  http: { method: 'GET', path: '/terminals' },
  input: z.object({ standing: z.enum(standings).optional() }),
  output: z.object({ items: z.array(TerminalShape) }),
  allow: operators,
  async run(context, { standing }) {
    const { tx, site, now } = context
    const { items } = await tx.terminals.page({ limit: mostListed })
    const kept = new Map(items.map((terminal) => [terminal.id, terminal]))
    const ofFile = site.terminals.map((rule) => filed(rule, kept.get(rule.name), now))
    const rest = items.filter(
      ({ id, standing: is }) => is !== 'filed' && !ofFile.some((one) => one.id === id),
    )
    const isAsked = ({ standing: is }: Terminal) =>
      standing === undefined ? is !== 'denied' : is === standing
    const all = [...ofFile, ...rest].filter(isAsked)
    const sessions = await openSessions(context)
    return { items: all.map((terminal) => viewOf(terminal, sessions)) }
  },
})

type Sessions = ReadonlyMap<string, NonNullable<TerminalView['session']>>

/** Open leases by the terminal that they were last asked for from. */
async function openSessions({ tx, site }: ReadContext): Promise<Sessions> {
  const perPool = await Promise.all(site.pools.map(({ name }) => tx.leases.find('open-pool', name)))
  return new Map(
    perPool.flat().flatMap(({ id, user, pool, state, terminal }) => {
      const name = terminal?.name ?? null
      return name === null ? [] : [[name, { lease: id, user, pool, state }] as const]
    }),
  )
}

function viewOf(terminal: Terminal, sessions: Sessions): TerminalView {
  const { id, standing, kind, mac, address, port, pool, owner, location, lastSeenAt } = terminal
  const session = sessions.get(id) ?? null
  return { name: id, standing, kind, mac, address, port, pool, owner, location, lastSeenAt, session }
}

export const enrolTerminal = change({
  name: 'enrol-terminal',
  summary: 'Make a terminal known by name, or confirm one that waits.',
  http: { method: 'POST', path: '/terminals', status: () => 201 },
  input: TerminalFields.extend({
    /** The one of the queue that this is, as it is listed there. */
    waiting: z.string().max(60).optional(),
  }),
  output: TerminalShape,
  subject: ({ name }) => `terminal:${name}`,
  allow: operators,
  async run(context, { waiting, ...fields }) {
    const { tx, caller } = context
    const stranger = waiting === undefined ? undefined : await tx.terminals.get(waiting)
    if (waiting !== undefined && stranger?.standing !== 'waiting' && stranger?.standing !== 'denied') {
      refuse('not_found', `No terminal ${waiting} waits to be confirmed. Somebody may have seen to it.`)
    }
    const mac = fields.mac ?? stranger?.mac ?? undefined
    const terminal = await enrolment(context, { ...fields, mac }, caller.user)
    if (stranger !== undefined) await tx.terminals.remove(stranger.id)
    if (mac !== undefined) await tx.terminals.remove(`?${mac}`)
    await tx.terminals.put({ ...terminal, lastSeenAt: stranger?.lastSeenAt ?? null })
    await redrawCards(context, queueCard)
    return viewOf(terminal, new Map())
  },
})

export const importTerminals = change({
  name: 'import-terminals',
  summary: 'Enrol terminals from a list keyed by MAC. Doing it again changes nothing.',
  http: { method: 'POST', path: '/terminals/import', body: { type: 'text/csv', field: 'csv' } },
  input: z.object({ csv: z.string().max(1_000_000), dryRun: z.stringbool().default(false) }),
  output: z.object({
    imported: z.number(),
    changed: z.number(),
    unchanged: z.number(),
    refused: z.array(z.object({ line: z.number(), reason: z.string() })),
    dryRun: z.boolean(),
  }),
  allow: operators,
  async run(context, { csv, dryRun }) {
    const { tx, caller } = context
    const { rows, refused } = readTerminals(csv)
    const counts = { imported: 0, changed: 0, unchanged: 0 }
    const seen = new Set<string>()
    for (const { line, fields } of rows) {
      try {
        if ([fields.mac ?? '', fields.name].some((key) => seen.has(key))) {
          refuse('already_exists', 'Its MAC or its name stands further up in the list.')
        }
        for (const key of [fields.mac ?? '', fields.name]) seen.add(key)
        const [old] = await tx.terminals.find('mac', fields.mac ?? '')
        const next = await enrolment(context, fields, caller.user, old?.id)
        const outcome = old === undefined ? 'imported' : isSame(old, next) ? 'unchanged' : 'changed'
        counts[outcome] += 1
        if (dryRun || outcome === 'unchanged') continue
        if (old !== undefined && old.id !== next.id) await tx.terminals.remove(old.id)
        await tx.terminals.remove(`?${fields.mac ?? ''}`)
        await tx.terminals.put(next)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        refused.push({ line, reason: error.message })
      }
    }
    return { ...counts, refused: refused.sort((a, b) => a.line - b.line), dryRun }
  },
})

function isSame(old: Terminal, next: Terminal): boolean {
  const keys = ['id', 'kind', 'address', 'port', 'pool', 'owner', 'location'] as const
  return keys.every((key) => old[key] === next[key])
}

export const removeTerminal = change({
  name: 'remove-terminal',
  summary:
    'Forget a terminal, or turn down one that waits, so that nobody is asked again. Its open session goes on.',
  http: { method: 'DELETE', path: '/terminals/{name}' },
  input: z.object({ name: z.string().max(63) }),
  output: z.object({}),
  subject: ({ name }) => `terminal:${name}`,
  allow: operators,
  async run(context, { name }) {
    const { tx, site } = context
    if (site.terminals.some((rule) => rule.name === name)) {
      refuse('wrong_state', `Terminal ${name} stands in the site’s file. Take it out there.`)
    }
    const known = await tx.terminals.get(name)
    if (known === undefined) refuse('not_found', `There is no terminal ${name}.`)
    if (known.standing === 'waiting') await tx.terminals.put({ ...known, standing: 'denied' })
    else await tx.terminals.remove(name)
    await redrawCards(context, queueCard)
    return {}
  },
})

export const orderTerminal = change({
  name: 'order-terminal',
  summary: 'Send a terminal a message, or have it reconnect or log off.',
  http: { method: 'POST', path: '/terminals/{name}/orders' },
  input: z.object({
    name: z.string().max(63),
    kind: z.enum(['message', 'reconnect', 'log-off']),
    text: text(400).optional(),
  }),
  output: z.object({}),
  subject: ({ name }) => `terminal:${name}`,
  allow: operators,
  async run(context, { name, kind, text: words }) {
    const { tx, caller, now, ids } = context
    if (kind === 'message' && (words ?? '') === '') refuse('invalid_input', 'Say what the message is.')
    const terminal = await terminalNamed(context, name)
    const order: TerminalOrder = {
      id: ids.next('O', now),
      kind,
      text: words ?? null,
      by: caller.user,
      at: now,
    }
    await tx.terminals.put({ ...terminal, order })
    return {}
  },
})

export const sightTerminal = change({
  name: 'sight-terminal',
  summary: 'Say that a terminal was seen. One that is not known waits to be confirmed.',
  http: null,
  open: true,
  unaudited: true,
  input: z.object({
    name: text(63).optional(),
    mac: z.string().max(32).optional(),
    kind: z.string().max(32).optional(),
  }),
  output: z.object({}),
  allow: () => undefined,
  async run(context, said) {
    await sighted(context, said, context.caller.address)
    return {}
  },
})
