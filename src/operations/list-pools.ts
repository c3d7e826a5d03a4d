import { z } from 'zod'
import { hasRole, isNamed } from '../identity/person.ts'
import { countsOf } from './desktops.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'
import { LeaseShape, leaseView } from './shapes/lease.ts'

export const listPools = query({
  name: 'list-pools',
  summary: 'List the pools that you may use, with your desktop and your open lease in each.',
  http: { method: 'GET', path: '/pools' },
  input: z.object({}),
  output: z.object({
    items: z.array(
      z.object({
        name: z.string(),
        title: z.string(),
        kind: z.enum(['persistent', 'shared']),
        desktop: z.object({ name: z.string(), state: z.string() }).optional(),
        lease: LeaseShape.optional(),
        ready: z.number(),
        /** Saved ones, which somebody has who waits for them to wake. */
        saved: z.number(),
        total: z.number(),
        max: z.number(),
      }),
    ),
  }),
  allow: anybody,
  async run({ tx, caller, now, site }) {
    const mine = site.pools.filter(({ members }) => isNamed(caller, members) || hasRole(caller, 'operator'))
    const items = mine.map(async ({ name, title, kind, size }) => {
      const key = `${name}|${caller.user}`
      const [lease] = await tx.leases.find('open-user', key)
      const [own] = await tx.desktops.find('person', key)
      const desktopName = own?.id ?? lease?.desktop ?? undefined
      const machine = desktopName === undefined ? undefined : await tx.machines.get(desktopName)
      const { spare, stored, total } = await countsOf(tx, name)
      return {
        name,
        title: title ?? name,
        kind,
        ...(machine === undefined ? {} : { desktop: { name: machine.id, state: machine.state } }),
        ...(lease === undefined ? {} : { lease: await leaseView(lease, { tx, now, site }) }),
        ready: spare,
        saved: stored,
        total,
        max: size.max,
      }
    })
    return { items: await Promise.all(items) }
  },
})
