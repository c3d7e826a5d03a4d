import type { Low } from 'lowdb'
import { assert, Outage } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { type Formats, upgraded } from '../formats.ts'
import type { CollectionName, JournalName } from '../store.ts'
import { ChangeJournal, type Entry, readJournal } from './change-journal.ts'
import { type Checkpoint, checkpointName } from './checkpoint.ts'
import type { Files } from './files.ts'
import { emptyMemory, type Memory } from './memory.ts'
import { Written } from './transaction.ts'

/** What stood on the disk: the checkpoint and what was committed after it. */
export interface Found {
  memory: Memory
  journal: ChangeJournal
  /** Whether it was written in an older format, and has to be written anew before anything else is. */
  isOld: boolean
}

/**
 * Brings back everything that was ever answered.
 * @throws Outage `store_damaged` when that is not possible, naming the place and the remedy.
 */
export async function recover(
  low: Low<Checkpoint>,
  { files, formats, log }: { files: Files; formats: Formats; log: Log },
): Promise<Found> {
  await low.read()
  if (low.data.sequence === 0) await begin(files, low)
  const { format, sequence, blocks, documents } = low.data
  const memory = emptyMemory(files, formats, blocks)
  const upgrade = (kind: string, value: unknown) => upgraded(formats, format, kind, value)
  for (const [name, list] of documents) {
    for (const document of list) tableOf(memory, name).load(upgrade(name, document))
  }
  // What is in memory now changes, and the picture of it as it was would hold on to what is no more.
  low.data = { ...low.data, documents: [] }
  for (const journal of Object.values(memory.journals)) await journal.check()
  const found = await readJournal(files, log, sequence, (entry) => replay(memory, upgrade, entry))
  return { memory, journal: await ChangeJournal.open(files, found), isOld: format < formats.current }
}

/** The first checkpoint, which says the format, is there before the first commit. */
async function begin(files: Files, low: Low<Checkpoint>): Promise<void> {
  const names = await files.list()
  if (names.includes(checkpointName)) return
  const orphan = names.find((name) => name.endsWith('.jsonl'))
  if (orphan !== undefined) {
    throw new Outage(
      'store_damaged',
      `${checkpointName} is missing beside ${orphan}. Restore the folder from a backup.`,
      { transient: false },
    )
  }
  await low.write()
}

function replay(memory: Memory, upgrade: (kind: string, value: unknown) => unknown, entry: Entry): void {
  const { documents, rows } = Written.parse(JSON.parse(entry.json))
  for (const [name, id, document] of documents) {
    const table = tableOf(memory, name)
    if (document === null) table.remove(id)
    else table.load(upgrade(name, document))
  }
  for (const [name, row] of rows) {
    assert(isJournal(memory, name), `there is a journal ${name}`)
    memory.journals[name].load(upgrade(name, row))
  }
}

function tableOf(memory: Memory, name: string): Memory['tables'][CollectionName] {
  assert(isCollection(memory, name), `there is a collection ${name}`)
  return memory.tables[name]
}

function isCollection(memory: Memory, name: string): name is CollectionName {
  return Object.hasOwn(memory.tables, name)
}

function isJournal(memory: Memory, name: string): name is JournalName {
  return Object.hasOwn(memory.journals, name)
}
