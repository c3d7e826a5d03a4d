import { z } from 'zod'
import { query } from './operation.ts'
import { anybody } from './rules.ts'

const Range = z.object({ default: z.number(), max: z.number() })

export const listTemplates = query({
  name: 'list-templates',
  summary: 'List what machines can be made from.',
  http: { method: 'GET', path: '/templates' },
  input: z.object({}),
  output: z.object({
    items: z.array(
      z.object({
        name: z.string(),
        title: z.string(),
        /** `empty` is an empty disk, `import` an image of a disk that came as a file. */
        kind: z.enum(['image', 'empty', 'import']),
        os: z.string(),
        cpus: Range,
        memoryGb: Range,
        /** Of an empty disk. */
        diskGb: Range.optional(),
      }),
    ),
  }),
  allow: anybody,
  run: async ({ site }) => ({
    items: site.templates.map(({ name, title, kind = 'image', os, cpus, memoryGb, diskGb }) => ({
      ...{ name, title, kind, os, cpus, memoryGb },
      ...(diskGb === undefined ? {} : { diskGb }),
    })),
  }),
})
