import { z } from 'zod'
import { desktopStates } from '../../broker/desktop.ts'
import { closingLease, type PoolStanding } from '../../broker/pool-standing.ts'
import { termsOf } from '../../broker/lease-terms.ts'
import { refuse } from '../base/errors.ts'
import { stateNames } from '../base/states.ts'
import { enqueue, redrawCards } from '../jobs/outbox.ts'
import { desktopTo, poolNamed, retire } from './desktops.ts'
import { change, type Context, query } from './operation.ts'
import { operators } from './rules.ts'
import { InstantShape, text } from './shapes/fields.ts'

const Named = z.object({ pool: z.string().max(40), reason: text(200).optional() })
const Standing = z.object({
  pool: z.string(),
  state: z.enum(['open', 'draining', 'closed']),
  sessions: z.number(),
})
type Standing = z.infer<typeof Standing>

/** A pool in another standing, and how many sessions are open in it. */
async function stand(
  context: Context,
  { pool: name, reason }: z.infer<typeof Named>,
  state: PoolStanding['state'],
): Promise<Standing> {
  const { tx, caller, now, site } = context
  const pool = poolNamed(site, name)
  const open = await tx.leases.find('open-pool', pool.name)
  const roll = (await tx.pools.get(pool.name))?.roll
  const standing = { id: pool.name, state, reason: reason ?? null, by: caller.user, at: now }
  await tx.pools.put({ ...standing, ...(roll === undefined ? {} : { roll }) })
  await redrawCards(context, `pool:${pool.name}`)
  if (state === 'closed') {
    const terms = termsOf(pool, site.timezone)
    for (const lease of open) {
      await tx.leases.put(closingLease(lease, terms, now))
      await redrawCards(context, `lease:${lease.id}`)
    }
  }
  return { pool: pool.name, state, sessions: open.length }
}

export const drainPool = change({
  name: 'drain-pool',
  summary: 'Let nobody new into a pool. Sessions that are open go on to their end.',
  http: { method: 'POST', path: '/pools/{pool}/drain' },
  input: Named,
  output: Standing,
  subject: ({ pool }) => `pool:${pool}`,
  allow: operators,
  run: (context, input) => stand(context, input, 'draining'),
})

export const closePool = change({
  name: 'close-pool',
  summary: 'Close a pool: nobody new, and open sessions end after a warning.',
  http: { method: 'POST', path: '/pools/{pool}/close' },
  input: Named,
  output: Standing,
  subject: ({ pool }) => `pool:${pool}`,
  allow: operators,
  run: (context, input) => stand(context, input, 'closed'),
})

export const reopenPool = change({
  name: 'reopen-pool',
  summary: 'Let people into a pool again.',
  http: { method: 'POST', path: '/pools/{pool}/reopen' },
  input: Named,
  output: Standing,
  subject: ({ pool }) => `pool:${pool}`,
  allow: operators,
  run: (context, input) => stand(context, input, 'open'),
})

const states = stateNames(desktopStates)

export const listDesktops = query({
  name: 'list-desktops',
  summary: 'List the desktops of all pools with their states, and why one is set aside.',
  http: { method: 'GET', path: '/desktops' },
  input: z.object({ state: z.enum(states).optional(), pool: z.string().max(40).optional() }),
  output: z.object({
    items: z.array(
      z.object({
        name: z.string(),
        pool: z.string(),
        state: z.enum(states),
        since: InstantShape.nullable(),
        reason: z.string().nullable(),
        person: z.string().nullable(),
        lease: z.string().nullable(),
        /** When it was made, and from which version of its template. */
        made: z.object({ at: InstantShape, version: z.string().nullable() }).nullable(),
      }),
    ),
  }),
  allow: operators,
  async run({ tx, site }, { state, pool }) {
    const names = site.pools.map(({ name }) => name).filter((name) => pool === undefined || name === pool)
    const all = (await Promise.all(names.map((name) => tx.desktops.find('pool', name)))).flat()
    const items = all
      .filter((desktop) => state === undefined || desktop.state === state)
      .map(({ id, pool: of, state: is, history, person, lease, made }) => {
        const last = history.at(-1)
        return {
          ...{ name: id, pool: of, state: is, person, lease },
          since: last?.at ?? null,
          reason: last?.reason ?? null,
          made: made ?? null,
        }
      })
    return { items }
  },
})

export const resetDesktopAgain = change({
  name: 'reset-desktop-again',
  summary:
    'Clean a desktop that was set aside. Only when that is seen to have worked does it go to people again.',
  http: { method: 'POST', path: '/desktops/{name}/reset', status: () => 202 },
  input: z.object({ name: z.string().max(60) }),
  output: z.object({ job: z.string() }),
  subject: ({ name }) => `machine:${name}`,
  allow: operators,
  async run(context, { name }) {
    const { tx, caller } = context
    const desktop = await tx.desktops.get(name)
    if (desktop === undefined) refuse('not_found', `There is no desktop ${name}.`)
    if (desktop.state !== 'quarantined') refuse('wrong_state', `Desktop ${name} is not set aside.`)
    if (desktop.person !== null) {
      refuse('wrong_state', `Desktop ${name} is ${desktop.person}’s own: cleaning it would lose their work.`)
    }
    await tx.desktops.put({
      ...desktopTo(desktop, 'resetting', context, `asked for by ${caller.user}`),
      lease: null,
    })
    const facts = { subject: `machine:${name}`, by: caller.user }
    const job = await enqueue(context, 'reset-desktop', { desktop: name, lease: null }, facts)
    return { job: job.id }
  },
})

export const discardDesktop = change({
  name: 'discard-desktop',
  summary:
    'Remove a desktop that was set aside, with what is on its disk. Its pool makes another; its person gets a new one.',
  http: { method: 'DELETE', path: '/desktops/{name}', status: () => 202 },
  input: z.object({ name: z.string().max(60) }),
  output: z.object({}),
  subject: ({ name }) => `machine:${name}`,
  allow: operators,
  async run(context, { name }) {
    const desktop = await context.tx.desktops.get(name)
    if (desktop === undefined) refuse('not_found', `There is no desktop ${name}.`)
    if (desktop.state !== 'quarantined') {
      refuse('wrong_state', `Desktop ${name} is not set aside: only then is it clear that nobody uses it.`)
    }
    await retire(context, desktop, null)
    return {}
  },
})
