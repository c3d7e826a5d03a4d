import { z } from 'zod'
import { collectionToken } from '../../broker/profiles/device.ts'
import { rdpFile } from '../../broker/rdp-file.ts'
import { plusMillis } from '../base/clock.ts'
import { poolNamed } from './desktops.ts'
import { checkMember } from './open-desktop.ts'
import { query } from './operation.ts'
import { anybody } from './rules.ts'

/** How long a gateway admits whoever has such a file: until the next day's feed. */
const keptMillis = 36 * 3_600_000

/** For clients that keep files: one that names a pool and no lease, so that it goes on being good. */
export const collectionFile = query({
  name: 'collection-file',
  summary: 'Get an RDP file that opens whatever desktop of a pool is yours then.',
  http: null,
  input: z.object({ pool: z.string().max(40) }),
  output: z.object({ rdp: z.string(), until: z.string() }),
  allow: anybody,
  async run(context, { pool: name }) {
    const { caller, site, now } = context
    const pool = poolNamed(site, name)
    checkMember(context, pool)
    const rdp = rdpFile({
      address: site.rdp.publicAddress,
      gateway: site.rdp.gateway,
      user: caller.user,
      routing: collectionToken(pool.name),
      allowed: pool.rdp,
    })
    return { rdp, until: plusMillis(now, keptMillis) }
  },
  finish: async ({ caller, now, rdp: finish }, answer) => {
    const { user, address } = caller
    return { ...answer, rdp: await finish(answer.rdp, { user, address, now, until: answer.until }) }
  },
})
