import { isPartName } from '../snapshot.ts'
import type { Part } from '../store.ts'
import type { Memory } from './memory.ts'

/**
 * Everything as it is now, to be read whenever there is time: documents never change, so lists of them stay true. Called
 * while no transaction runs.
 */
export function snapshotOf({ tables, journals }: Memory): AsyncIterable<Part> {
  const documents = Object.entries(tables).flatMap(([name, table]): Part[] =>
    isPartName(name) ? [{ name, items: table.documents() }] : [],
  )
  return partsOf(documents, { audit: journals.audit.snapshot(), charges: journals.charges.snapshot() })
}

async function* partsOf(
  documents: readonly Part[],
  rows: Readonly<Record<'audit' | 'charges', AsyncIterable<readonly unknown[]>>>,
): AsyncGenerator<Part, void, undefined> {
  yield* documents
  for await (const items of rows.audit) yield { name: 'audit', items }
  for await (const items of rows.charges) yield { name: 'charges', items }
}
