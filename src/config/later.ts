import { type Path, type Problem, valueAt } from './faults.ts'

/** Keys and values that the file may have one day. Refused by name, so that nobody believes that they work already. */
const later: readonly { path: Path; values?: readonly string[]; instead: string }[] = [
  { path: ['identity', 'oidc'], instead: 'leave it out, and name people under identity.local' },
]

/** What the document asks for that this version cannot do. */
export function notBuiltYet(root: unknown): Problem[] {
  return later
    .filter(({ path, values }) => isAskedFor(valueAt(root, path), values))
    .map(({ path, instead }) => ({ path, wrong: 'is not built into this version yet', right: instead }))
}

function isAskedFor(value: unknown, values: readonly string[] | undefined): boolean {
  if (values === undefined) return value !== undefined
  return typeof value === 'string' && values.includes(value)
}
