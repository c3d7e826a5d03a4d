import { z } from 'zod'

const Range = z.strictObject({ default: z.number().int().positive(), max: z.number().int().positive() })

/** An image that a machine can be made from, with its default and its largest size. */
export const Template = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9.-]{0,31}$/),
  title: z.string().min(1).max(80),
  /** `empty` is an empty disk, `import` a disk of the library that came as a file; else what it is made from is known. */
  kind: z.enum(['image', 'empty', 'import']).optional(),
  os: z.enum(['linux', 'windows', 'other']),
  cpus: Range,
  memoryGb: Range,
  /** Of an empty disk. */
  diskGb: Range.optional(),
  /** What its present image is called, such as 2026-11: desktops remember which they were made from. */
  version: z.string().min(1).max(40).optional(),
  /** The licence that a machine made from it uses up, if any. */
  licence: z.string().max(40).optional(),
})
export type Template = z.infer<typeof Template>
