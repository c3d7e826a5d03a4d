import { z } from 'zod'

/**
 * The file read loosely, for the checks that look across it: whatever is of the wrong kind is left out, and nothing is
 * refused. So these checks can run, and be reported, beside the faults that the schemas find.
 */
const Word = z.string().optional().catch(undefined)
const Amount = z.number().optional().catch(undefined)
/** A word of the wrong kind stays as '' so that the places of the others do not move. */
const Words = z.array(z.string().catch('')).catch([])
/** Names, or objects that say whose name and more. */
const People = z
  .array(z.union([z.string(), z.object({ user: z.string() }).transform(({ user }) => user)]).catch(''))
  .catch([])
const Range = part({ default: Amount, max: Amount })

export const Sketch = part({
  http: part({ host: Word }),
  identity: part({
    ldap: z.unknown().optional(),
    local: rows({
      user: Word,
      password: z.unknown().optional(),
      passwordHash: z.unknown().optional(),
      groups: Words,
    }),
  }),
  roles: part({ operator: Words, auditor: Words }),
  hypervisors: rows({
    name: Word,
    templates: z.record(z.string(), z.unknown()).optional().catch(undefined),
    hosts: rows({ name: Word, group: Word }).optional(),
  }),
  groups: rows({ name: Word, maxTerm: Word, term: Word, members: Words }),
  templates: rows({ name: Word, cpus: Range, memoryGb: Range, diskGb: Range }),
  tariffs: rows({ name: Word, from: Word, for: Words.optional() }),
  budgets: rows({ code: Word, holders: Words, members: Words, delegates: People }),
  policies: part({
    approvals: part({ expire: Word, remindAfter: Word, fallback: Words }),
    machines: part({ maxTerm: Word, reminders: Words }),
  }),
  pools: rows({
    name: Word,
    template: Word,
    group: Word,
    budget: Word,
    size: part({ spare: Amount, saved: Amount, max: Amount }),
    members: Words,
    lease: part({ max: Word, warn: Word }),
  }),
  terminals: rows({ name: Word, mac: Word, address: Word, port: Amount, pool: Word }),
})
export type Sketch = z.infer<typeof Sketch>

function part<S extends z.ZodRawShape>(shape: S) {
  return z.preprocess((value): unknown => (isKeyed(value) ? value : {}), z.object(shape))
}

function rows<S extends z.ZodRawShape>(shape: S) {
  return z.preprocess((value): unknown => (Array.isArray(value) ? value : []), z.array(part(shape)))
}

function isKeyed(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
