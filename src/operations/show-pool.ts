import { z } from 'zod'
import { poolNamed } from './desktops.ts'
import { query } from './operation.ts'
import { operators } from './rules.ts'
import { PoolShape, poolView } from './shapes/pool.ts'

export const showPool = query({
  name: 'show-pool',
  summary:
    'Show a pool to its operators: how many desktops it keeps ready and why, and how far a new version has come.',
  http: { method: 'GET', path: '/pools/{pool}' },
  input: z.object({ pool: z.string().max(40) }),
  output: PoolShape,
  allow: operators,
  run: (context, { pool }) => poolView(context, poolNamed(context.site, pool)),
})
